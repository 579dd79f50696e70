/** What the panel and the modal of one record show. Pure. */

import type { Frame } from '../../views/layout';
import type { RecordView } from '../../views/record';
import { eventViews, type PageFacts } from './event-views';
import { counted } from './words';

/** The panel or modal of one record. `record` null: the page was opened without one. */
export function recordView(
  facts: PageFacts,
  record: { readonly entity: string; readonly entityId: string } | null,
  frame: Frame,
): RecordView {
  const sent = facts.deliveries.filter((delivery) => delivery.state === 'sent').length;
  const title = facts.events.find((event) => event.recordTitle !== null)?.recordTitle;
  return {
    frame,
    heading: title ?? (record === null ? 'Dealbell' : `This ${record.entity}`),
    summary:
      facts.events.length === 0
        ? ''
        : `${sent === 0 ? 'No message' : counted(sent, 'message')} sent about ${counted(facts.events.length, 'event')}.`,
    // The heading names the record already.
    events: eventViews(facts).map((event) => (event.record === title ? { ...event, record: '' } : event)),
    empty:
      record === null ? 'Open this from a deal, person or organization.' : `Nothing has come in about this ${record.entity} yet.`,
  };
}
