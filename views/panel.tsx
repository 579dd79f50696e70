/** The panel beside a record: announce it, watch it, mute it, and what was told of it and why the rest stayed silent. */

import type { VNode } from 'preact';
import { AnnounceForm, RecordFields, type AnnounceFormView } from './announce';
import { EventList, LookForNews, type EventView } from './components';
import { PageForm } from './form';
import { Watching, type WatchView } from './watch';

export interface PanelView {
  readonly heading: string;
  readonly entity: string;
  readonly isMuted: boolean;
  readonly muteId: number | null;
  readonly canMute: boolean;
  readonly told: ToldView;
  readonly announce: AnnounceFormView;
  /** Null: such records cannot be watched. */
  readonly watch: WatchView | null;
}

/** What came in about the record. */
export interface ToldView {
  readonly entity: string;
  /** "2 messages sent about 3 events."; null when nothing came in. */
  readonly summary: string | null;
  readonly events: readonly EventView[];
  /** What is sent to ask for news. */
  readonly look: { readonly resource: string; readonly selectedIds: string; readonly seen: string; readonly waits: string };
  readonly everyMs: number;
}

export function Panel({ view, message }: { readonly view: PanelView; readonly message: string | null }): VNode {
  const { heading, entity, told, announce, watch } = view;
  return (
    <div id="app">
      <main id="page" class="alone panel">
        {message !== null && (
          <p class="flash" id="flash">
            {message}
          </p>
        )}
        <div class="panel-head">
          <PanelHeading text={heading} />
          <Mute view={view} />
        </div>
        {view.isMuted && (
          <p class="notice-box">
            <strong>This {entity} is muted.</strong>{' '}
            {watch !== null && watch.places.length > 0 ? 'Rules and watches are' : 'Rules are'} paused for it
            {view.canMute ? '' : '; an admin can unmute it'}. You can still announce it by hand.
          </p>
        )}
        <Told {...told} />
        <section aria-labelledby="announce-title" class="card">
          <h2 id="announce-title">Announce this {entity}</h2>
          <AnnounceForm view={announce} action="/extension/panel/announce" />
        </section>
        {watch !== null && <Watching view={watch} />}
        {!view.canMute && (
          <p class="quiet">
            Only admins can mute{watch === null ? '' : ' or watch'} this {entity}.{' '}
            <a id="ask-admin" href={announce.settingsUrl} target="_blank" rel="noopener">
              See whom to ask
            </a>
          </p>
        )}
      </main>
    </div>
  );
}

/** Events that stand at once; older ones are one click away, so that announcing is not out of sight. */
const FIRST_EVENTS = 3;

/** Follows by itself what happens to the record while the panel is open. */
function Told({ entity, summary, events, look, everyMs }: ToldView): VNode {
  const older = events.slice(FIRST_EVENTS);
  return (
    <section id="told" aria-labelledby="told-title" data-quiet="yes">
      <LookForNews of="told" everyMs={everyMs} hx-post="/extension/panel/told" hx-vals={JSON.stringify(look)} />
      <h2 id="told-title">Sent messages</h2>
      <p class="quiet">{summary}</p>
      <EventList events={events.slice(0, FIRST_EVENTS)} empty={`Nothing has come in about this ${entity} yet.`} />
      {older.length > 0 && (
        <details>
          <summary id="older-events">{older.length === 1 ? '1 older event' : `${older.length} older events`}</summary>
          <EventList events={older} empty="" />
        </details>
      )}
    </section>
  );
}

function PanelHeading({ text, isNews = false }: { readonly text: string; readonly isNews?: boolean }): VNode {
  return (
    <h1 class="small" id="panel-heading" hx-swap-oob={isNews ? 'true' : undefined}>
      {text}
    </h1>
  );
}

/** In the place of what looked for it, with the name of a record that was not known by name when the panel opened. */
export function ToldNews({ told, heading }: Pick<PanelView, 'told' | 'heading'>): VNode {
  return (
    <>
      <Told {...told} />
      <PanelHeading text={heading} isNews />
    </>
  );
}

function Mute({ view: { entity, isMuted, muteId, canMute, announce } }: { readonly view: PanelView }): VNode | null {
  if (!canMute) return null;
  const action = isMuted ? `/extension/panel/unmute/${muteId ?? 0}` : '/extension/panel/mute';
  return (
    <PageForm id="mute-form" action={action} inline>
      <RecordFields {...announce} />
      <button id="mute" class="small secondary">
        {isMuted ? `Unmute this ${entity}` : `Mute this ${entity}`}
      </button>
    </PageForm>
  );
}

/** The frame was opened without a record. */
export function NoRecord(): VNode {
  return (
    <div id="app">
      <main id="page" class="alone">
        <h1 class="small">Dealbell</h1>
        <p class="quiet">Open this from a deal, lead, person or organization.</p>
      </main>
    </div>
  );
}
