/** Finds the two halves of a lead conversion: Pipedrive sends a lead that goes and a deal that comes, in either order. */

import type { PipedriveEvent } from '../core/pipedrive-event';
import { textField, type RecordState } from '../core/record';
import type { Shadow, ShadowMap } from './routing-ledger';

/** Halves further apart than this are two stories. */
export const CONVERSION_WINDOW_MS = 60_000;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The lead that a deal names as its source; null when it names none. Leads have UUIDs, other origins have not. */
export function leadNamedBy(deal: RecordState): string | null {
  const source = textField(deal, 'source_lead_id') ?? textField(deal, 'origin_id');
  return source !== null && UUID.test(source) ? source : null;
}

/** The other half: a record of `entity` with the same correlation id, seen within the window and not yet part of a conversion. */
export function pairConversion(
  event: PipedriveEvent,
  entity: 'lead' | 'deal',
  ledger: { readonly shadows: ShadowMap },
): Shadow | null {
  const { correlationId } = event;
  if (correlationId === null) return null;
  const half = [...ledger.shadows.values()].find((shadow) => shadow.entity === entity && shadow.conversionKey === correlationId);
  if (half?.occurredAt == null) return null;
  return Math.abs(event.occurredAt.getTime() - half.occurredAt.getTime()) <= CONVERSION_WINDOW_MS ? half : null;
}
