/** The panel beside a record: announce it, watch it, mute it, and what was told of it and why the rest stayed silent. */

import type { VNode } from 'preact';
import { AnnounceForm, RecordFields, type AnnounceFormView } from './announce';
import { EventList, type EventView } from './components';
import { PageForm } from './form';
import { Watching, type WatchView } from './watch';

export interface PanelView {
  readonly heading: string;
  readonly entity: string;
  readonly isMuted: boolean;
  readonly muteId: number | null;
  readonly canMute: boolean;
  /** "2 messages sent about 3 events."; null when nothing came in. */
  readonly summary: string | null;
  readonly events: readonly EventView[];
  readonly announce: AnnounceFormView;
  /** Null: such records cannot be watched. */
  readonly watch: WatchView | null;
}

export function Panel({ view, message }: { readonly view: PanelView; readonly message: string | null }): VNode {
  const { heading, entity, summary, events, announce, watch } = view;
  return (
    <div id="app">
      <main id="page" class="alone panel">
        {message !== null && (
          <p class="flash" id="flash">
            {message}
          </p>
        )}
        <div class="panel-head">
          <h1 class="small">{heading}</h1>
          <Mute view={view} />
        </div>
        {view.isMuted && (
          <p class="notice-box">
            <strong>This {entity} is muted.</strong> No rule tells of it
            {watch !== null && watch.places.length > 0 && ', and watching rests'}
            {view.canMute ? '' : '; an admin can take the mute away'}. Announcing by hand still works.
          </p>
        )}
        <section aria-labelledby="announce-title" class="card">
          <h2 id="announce-title">Announce it now</h2>
          <AnnounceForm view={announce} action="/extension/panel/announce" />
        </section>
        {watch !== null && <Watching view={watch} />}
        <section aria-labelledby="told">
          <h2 id="told">What was told</h2>
          {summary !== null && <p class="quiet">{summary}</p>}
          <EventList events={events} empty={`Nothing has come in about this ${entity} yet.`} />
        </section>
      </main>
    </div>
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
