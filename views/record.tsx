/** The panel beside a deal, person or organization, and the modal with the same in full: what was told, and why the rest stayed silent. */

import type { VNode } from 'preact';
import { EventList, type EventView } from './components';
import { Document, type Frame, type PageCredential } from './layout';

export interface RecordView {
  readonly frame: Frame;
  readonly heading: string;
  readonly summary: string;
  readonly events: readonly EventView[];
  readonly empty: string;
}

export function recordPage(view: RecordView, credential: PageCredential): VNode {
  return (
    <Document title={`${view.heading} - Dealbell`} framed={view.frame} credential={credential}>
      <main class="alone">
        <h1 class="small">{view.heading}</h1>
        <p class="quiet">{view.summary}</p>
        <EventList events={view.events} empty={view.empty} />
      </main>
    </Document>
  );
}
