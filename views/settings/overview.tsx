/** The overview: what was sent, how each space is, and what needs attention. */

import type { VNode } from 'preact';
import { AttentionList, type AttentionView } from '../attention';
import { DayChart, type ChartDay } from '../chart';
import { Badge, EventList, LookForNews, type EventView } from '../components';
import { pageUrl } from '../shell';
import type { SpaceView } from './spaces';

export interface OverviewView {
  readonly companyName: string;
  /** "Enterprise trial until 7 Dec 2026". */
  readonly plan: string;
  readonly canChange: boolean;
  readonly attention: readonly AttentionView[];
  readonly figures: readonly { readonly label: string; readonly value: string }[];
  /** Nothing was sent of late and nothing waits. */
  readonly isQuiet: boolean;
  readonly days: readonly ChartDay[];
  readonly daysSummary: string;
  readonly spaces: readonly SpaceView[];
  /** What came in last. */
  readonly latest: readonly EventView[];
  /** What asks whether all that has changed. */
  readonly lookUrl: string;
}

const LOOK_MS = 10_000;

/** `setUp` is the first run, as long as it is not done. */
export function Overview({ view, setUp }: { readonly view: OverviewView; readonly setUp: VNode | null }): VNode {
  return (
    <>
      <div class="page-head">
        <h1>Overview</h1>
        <p class="quiet">
          {view.companyName} · {view.plan}
        </p>
      </div>
      <AttentionList items={view.attention} canChange={view.canChange} />
      <div id="now" data-quiet="yes">
        {setUp ?? (
          <>
            <LookForNews of="now" everyMs={LOOK_MS} hx-get={view.lookUrl} hx-select="#now" />
            <Sent view={view} />
            <SpacesHealth spaces={view.spaces} />
            {view.latest.length > 0 && <Latest events={view.latest} />}
          </>
        )}
      </div>
    </>
  );
}

function Sent({ view }: { readonly view: OverviewView }): VNode {
  return (
    <section class="card" aria-labelledby="sent">
      <h2 id="sent">Messages sent</h2>
      {view.isQuiet ? (
        <p class="quiet">Nothing in the last 7 days. Win a deal and its message shows here.</p>
      ) : (
        <div class="sent">
          <dl class="figures">
            {view.figures.map(({ label, value }) => (
              <div>
                <dt>{label}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          {view.days.some(({ count }) => count > 0) && <DayChart days={view.days} summary={view.daysSummary} />}
        </div>
      )}
    </section>
  );
}

function SpacesHealth({ spaces }: { readonly spaces: readonly SpaceView[] }): VNode {
  return (
    <section class="card" aria-labelledby="health">
      <h2 id="health">Spaces</h2>
      <ul class="rows health">
        {spaces.map(({ id, name, state, tone, brief }) => (
          <li>
            <a id={`space-${id}`} href={pageUrl('spaces', id)}>
              {name}
            </a>
            <Badge text={state} tone={tone} />
            <span class="quiet grow">{brief}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Latest({ events }: { readonly events: readonly EventView[] }): VNode {
  return (
    <section class="card" aria-labelledby="latest">
      <h2 id="latest">Latest activity</h2>
      <EventList events={events} empty="" />
      <p>
        <a id="all-activity" href={pageUrl('activity')}>
          See all activity
        </a>
      </p>
    </section>
  );
}
