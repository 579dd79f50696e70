/** What came in from Pipedrive, what each rule made of it, and what became of the messages. */

import type { VNode } from 'preact';
import { EventList, type EventView } from '../components';

export function Activity({ events }: { readonly events: readonly EventView[] }): VNode {
  return (
    <>
      <div class="page-head">
        <h1>Activity</h1>
      </div>
      <section class="card">
        <EventList events={events} empty="Nothing has come in from Pipedrive yet." />
      </section>
    </>
  );
}
