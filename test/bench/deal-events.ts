/** Webhooks of won deals as Pipedrive sends them (v2, key order as captured), each with an identity of its own. */

/** Size of the body: an account with a few custom fields, or one with 190 of which a third is filled. */
export type EventSize = '2 kB' | '25 kB';

/** All events belong to one edit of many deals of the first owner. */
export interface BulkEdit {
  readonly correlationId: string;
}

/** Makes the body of event number `n`. */
export type MakeEvent = (n: number) => string;

export const OWNERS_PER_TENANT = 20;
export const FIRST_OWNER_ID = 12_415_001;
/** Persons, organizations and so on whose names are known. */
export const NAMED_RECORDS = 50;

const CUSTOM_FIELDS = { '2 kB': { count: 10, filled: 6 }, '25 kB': { count: 190, filled: 70 } } as const;
const LONG_TEXT = 'Wants the annual plan with onboarding in two countries; decision by the board, budget is agreed. ';

/** `"@id@"` as a whole is a number; `@id@` inside a text stands for its digits. */
const NUMBERS_AND_TEXTS = /("@(?:id|owner|named)@"|@[a-z]+@)/;

/** Events go round over `deals` deals, so that each deal's are in order; time moves on a millisecond per event. */
export function makeDealEvents(size: EventSize, deals: number, bulkEdit?: BulkEdit): MakeEvent {
  const pieces = JSON.stringify(wonDeal(size, bulkEdit)).split(NUMBERS_AND_TEXTS);
  const startedAtMs = Date.now() - 3_600_000;
  return (n) => {
    const dealId = String(1_000_000 + (n % deals));
    const values: Readonly<Record<string, string>> = {
      '"@id@"': dealId,
      '@id@': dealId,
      '@round@': String(Math.floor(n / deals)),
      '"@owner@"': String(FIRST_OWNER_ID + (bulkEdit === undefined ? n % OWNERS_PER_TENANT : 0)),
      '"@named@"': String(1 + (n % NAMED_RECORDS)),
      '@uuid@': `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
      '@time@': new Date(startedAtMs + n).toISOString(),
    };
    return pieces.map((piece) => values[piece] ?? piece).join('');
  };
}

function wonDeal(size: EventSize, bulkEdit: BulkEdit | undefined): object {
  return {
    data: {
      add_time: '2026-01-24T13:18:55Z',
      channel: null,
      channel_id: null,
      close_time: '@time@',
      creator_user_id: FIRST_OWNER_ID,
      currency: 'EUR',
      custom_fields: customFields(size),
      expected_close_date: '2026-12-24',
      first_won_time: '@time@',
      id: '@id@',
      label_ids: [1, 2],
      lost_reason: null,
      lost_time: null,
      org_id: '@named@',
      origin: 'ManuallyCreated',
      origin_id: null,
      owner_id: '@owner@',
      person_id: '@named@',
      pipeline_id: 1,
      probability: 80,
      stage_change_time: '2026-01-25T13:18:55Z',
      stage_id: 2,
      status: 'won',
      title: 'Deal @id@, round @round@.',
      update_time: '@time@',
      value: 48_000,
      visible_to: '3',
      won_time: '@time@',
      is_archived: false,
      archive_time: null,
    },
    previous: { close_time: null, status: 'open', update_time: '2026-01-25T13:18:55Z', won_time: null },
    meta: { ...metaOf(), ...(bulkEdit === undefined ? {} : { is_bulk_edit: true, correlation_id: bulkEdit.correlationId }) },
  };
}

function metaOf(): object {
  return {
    action: 'change',
    company_id: '12345',
    correlation_id: '@uuid@',
    entity_id: '@id@',
    entity: 'deal',
    id: '@uuid@',
    is_bulk_edit: false,
    timestamp: '@time@',
    type: 'application',
    user_id: String(FIRST_OWNER_ID),
    version: '2.0',
    webhook_id: '111',
    webhook_owner_id: String(FIRST_OWNER_ID),
    change_source: 'app',
    permitted_user_ids: [String(FIRST_OWNER_ID), String(FIRST_OWNER_ID + 1)],
    attempt: 1,
    host: 'companyname.pipedrive.com',
  };
}

/** Keys are 40 hex digits; unset fields are sent too, as null. */
function customFields(size: EventSize): Readonly<Record<string, unknown>> {
  const { count, filled } = CUSTOM_FIELDS[size];
  const text = size === '25 kB' ? LONG_TEXT.repeat(2) : 'Annual plan';
  const fields = Array.from({ length: count }, (_, index) => {
    const key = (index + 1).toString(16).padStart(4, '0').repeat(10);
    return [key, index < filled ? { type: 'varchar', value: text } : null] as const;
  });
  return Object.fromEntries(fields);
}
