/** Events of the reconciliation in the router: in whichever order they and the real webhooks come, nothing is told twice. */

import type { RecordState } from '../../../src/core/record';
import type { FoundEvent } from '../../../src/reconciliation/find-missed';
import { reconciledBody } from '../../../src/reconciliation/reconciled-body';
import { aDealWebhook, aRule, at, dealState, type SentWebhook } from '../../support/builders';
import { makeMemoryLedger } from '../../support/memory-ledger';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const iso = (ms: number): string => at(ms).toISOString().replace('.000', '');
const rules = [aRule(), aRule({ id: 2, eventType: 'deal.created' }), aRule({ id: 3, eventType: 'deal.stage_changed' })];

const WON: RecordState = { status: 'won', won_time: iso(MINUTE), close_time: iso(MINUTE), update_time: iso(MINUTE) };
const UNWON: RecordState = { status: 'open', won_time: null, close_time: null };
const created = () => aDealWebhook({ data: { add_time: iso(0), update_time: null } });
/** Pipedrive's event of the win, 700 ms after the record's own time. */
const realWin = (receivedMs: number, data: RecordState = {}) =>
  aDealWebhook({ data: { add_time: iso(0), ...WON, ...data }, previous: UNWON, atMs: MINUTE + 700, receivedMs });

function found(given: Partial<FoundEvent> & { readAtMs?: number; receivedMs?: number } = {}): SentWebhook {
  const { readAtMs = HOUR, receivedMs = HOUR + 1000, state, ...rest } = given;
  const event: FoundEvent = {
    ...{ entity: 'deal', entityId: '8', action: 'change', occurredAt: at(MINUTE), previous: UNWON, missed: null, knownAt: at(0) },
    ...rest,
    state: dealState({ add_time: iso(0), ...WON, ...state }),
  };
  return { body: reconciledBody(event, at(readAtMs)), receivedAt: at(receivedMs) };
}

const ledgerOf = (settleMs = 1500) => makeMemoryLedger({ rules, settleMs });
const wins = (ledger: ReturnType<typeof ledgerOf>) =>
  ledger
    .deliveries()
    .filter(({ change, state }) => change.transition.type === 'deal.won' && state !== 'dropped')
    .map(({ change }) => [change.occurredAt, change.transition.cause?.isLate === true]);

test.each([0, 1500])(
  'when the webhook comes after the difference was told (settle %i ms), then it is outdated',
  async (settleMs) => {
    const ledger = ledgerOf(settleMs);
    await ledger.route(created());

    await ledger.route(found());
    await ledger.route(realWin(HOUR + 2000));

    expect(wins(ledger)).toEqual([[at(MINUTE), true]]);
    expect(ledger.codes(3)).toEqual(['1:outdated']);
  },
);

test.each([
  ['in one batch', true],
  ['in batches of their own', false],
])('when the webhook came first (%s), then the difference is none any more', async (_words, isOneBatch) => {
  const ledger = ledgerOf();
  await ledger.route(created());

  if (isOneBatch) await ledger.route(realWin(HOUR), found());
  else for (const one of [realWin(HOUR), found()]) await ledger.route(one);

  expect(wins(ledger)).toEqual([[at(MINUTE + 700), false]]);
});

test('when the webhook of the difference came first and its time is before the record’s own, then it is still told once', async () => {
  const ledger = ledgerOf();
  await ledger.route(created());
  await ledger.route(aDealWebhook({ data: { add_time: iso(0), ...WON }, previous: UNWON, atMs: MINUTE - 200, receivedMs: HOUR }));

  await ledger.route(found());

  expect(wins(ledger)).toHaveLength(1);
});

test('when a newer edit comes after the list was read, then it is told as itself', async () => {
  const ledger = ledgerOf(0);
  await ledger.route(created());
  await ledger.route(found());

  const edit = { stage_id: 12, update_time: iso(HOUR + 5000) };
  await ledger.route(
    aDealWebhook({ data: { add_time: iso(0), ...WON, ...edit }, previous: { stage_id: 11 }, atMs: HOUR + 5400 }),
  );

  expect(ledger.told().map(({ type }) => type)).toEqual(['deal.created', 'deal.won', 'deal.stage_changed']);
});

test('when a deal of which nothing was known is found as won, then a late webhook of the win or of its creation is outdated', async () => {
  const ledger = ledgerOf(0);

  await ledger.route(found({ action: 'create', previous: null, missed: ['deal.created', 'deal.won'], knownAt: null }));
  await ledger.route({ ...created(), receivedAt: at(HOUR + 3000) });
  await ledger.route(realWin(HOUR + 4000));

  expect(ledger.told().map(({ type, event }) => [type, event])).toEqual([
    ['deal.won', 1],
    ['deal.created', 1],
  ]);
});

test('when what was missed was judged on a ground that has moved since, then it tells nothing and is judged again', async () => {
  const ledger = ledgerOf(0);
  await ledger.route(created());

  await ledger.route(realWin(HOUR), found({ missed: ['deal.won'], knownAt: at(0) }));

  expect(wins(ledger)).toHaveLength(1);
  expect(ledger.codes(3)).toEqual(['1:outdated']);
});

test('when a missed win lies behind what is known, then it is told and the record stays as known', async () => {
  const ledger = ledgerOf(0);
  const later = { ...WON, value: 900, update_time: iso(30 * MINUTE) };
  await ledger.route(aDealWebhook({ data: later, previous: { value: 100 }, atMs: 30 * MINUTE }));
  const before = ledger.shadow('deal', '8');

  await ledger.route(found({ state: later, missed: ['deal.won'], knownAt: at(30 * MINUTE) }));

  expect(wins(ledger)).toEqual([[at(MINUTE), true]]);
  expect(ledger.shadow('deal', '8')).toEqual(before);
});

test('when it is found more than a day after it happened, then the decision says so and the record moves on', async () => {
  const ledger = ledgerOf(0);
  await ledger.route(created());

  await ledger.route(found({ readAtMs: 25 * HOUR, receivedMs: 25 * HOUR }));

  expect(wins(ledger)).toEqual([]);
  expect(ledger.codes(2)).toEqual(['1:foundTooLate']);
  expect(ledger.shadow('deal', '8')?.state['status']).toBe('won');
});

test('when custom fields are known, then the list, which has none of them, leaves them', async () => {
  const ledger = ledgerOf(0);
  const custom_fields = { aa: { type: 'varchar', value: 'kept' } };
  await ledger.route(aDealWebhook({ data: { add_time: iso(0), custom_fields } }));

  const { body, receivedAt } = found();
  const { data, ...rest } = JSON.parse(body.toString('utf8'));
  delete data.custom_fields;
  await ledger.route({ body: Buffer.from(JSON.stringify({ ...rest, data })), receivedAt });

  expect(wins(ledger)).toHaveLength(1);
  expect(ledger.shadow('deal', '8')?.state['custom_fields']).toEqual(custom_fields);
});

describe('A deletion that was found', () => {
  const withDeletions = [...rules, aRule({ id: 4, eventType: 'deal.deleted' }), aRule({ id: 5, eventType: 'deal.merged' })];
  const GONE = { action: 'delete', occurredAt: at(MINUTE), previous: null, missed: ['deal.deleted'], knownAt: at(0) } as const;
  const foundGone = () => found(GONE);
  /** Pipedrive's event, 700 ms after the record's own time. */
  const realDeletion = (mergedToId?: string) =>
    aDealWebhook({
      ...{ action: 'delete', atMs: MINUTE + 700, receivedMs: HOUR + 2000, previous: dealState() },
      ...(mergedToId !== undefined && { meta: { merged_to_id: mergedToId } }),
    });
  const deletions = (ledger: ReturnType<typeof ledgerOf>) =>
    ledger.told().filter(({ type }) => type === 'deal.deleted' || type === 'deal.merged');

  test.each(['the webhook comes afterwards', 'the webhook came first'])(
    'when %s, then it is told once, and the deal is gone',
    async (when) => {
      const ledger = makeMemoryLedger({ rules: withDeletions, settleMs: 0 });
      await ledger.route(created());

      const both = [foundGone(), realDeletion()];
      for (const one of when === 'the webhook came first' ? both.reverse() : both) await ledger.route(one);

      expect(deletions(ledger)).toHaveLength(1);
      expect(ledger.shadow('deal', '8')?.deletedAt).not.toBeNull();
      expect(ledger.codes(3)).toContain('4:outdated');
    },
  );

  test('when it is found, then a rule on merges says why it stays silent', async () => {
    const ledger = makeMemoryLedger({ rules: withDeletions, settleMs: 0 });
    await ledger.route(created());

    await ledger.route(foundGone());
    await ledger.route(found({ ...GONE, readAtMs: 26 * HOUR, receivedMs: 26 * HOUR, entityId: '9', knownAt: null }));

    expect(ledger.codes(2)).toEqual(['4:matched', '5:perhapsMerged']);
    expect(ledger.codes(3)).toEqual(['4:foundTooLate', '5:foundTooLate']);
  });

  describe('turns out to have been a merge', () => {
    const survivorHalf = () =>
      aDealWebhook({ id: 9, previous: { value: 1 }, atMs: MINUTE + 700, receivedMs: HOUR + 2000, meta: { merged_from_id: '8' } });
    const elsewhere = aRule({ id: 6, eventType: 'deal.merged', targetWebhookIds: [2], position: 6 });
    const ledgerWithRules = (settleMs = 0, more: object = {}) =>
      makeMemoryLedger({ rules: [...withDeletions, elsewhere], settleMs, ...more });
    const told = (ledger: ReturnType<typeof ledgerOf>) => deletions(ledger).map(({ type, to }) => `${type} in ${to}`);

    test.each<readonly [string, () => readonly SentWebhook[]]>([
      ['the half of the deal that is gone first', () => [realDeletion('9'), survivorHalf()]],
      ['the half of the survivor first', () => [survivorHalf(), realDeletion('9')]],
    ])('and its webhooks come late (%s), then only a space that was told nothing yet is told that', async (_which, webhooks) => {
      const ledger = ledgerWithRules();
      await ledger.route(created());
      await ledger.route(foundGone());

      for (const webhook of webhooks()) await ledger.route(webhook);

      expect(told(ledger)).toEqual(['deal.deleted in 1', 'deal.merged in 2']);
      expect(ledger.codes(3)).toEqual(['5:toldAsGone', '6:matched']);
      expect(ledger.shadow('deal', '8')?.mergedInto).toBe('9');
    });

    test('and both come in one batch, then it is told once', async () => {
      const ledger = ledgerWithRules(1500);
      await ledger.route(created());

      await ledger.route(foundGone(), realDeletion('9'), survivorHalf());

      expect(told(ledger)).toEqual(['deal.deleted in 1', 'deal.merged in 2']);
    });

    test('and two ways lead into the space, then it is told once too', async () => {
      const destinations = [1, 2].map((id) => ({ id, spaceId: 'one space' }));
      const ledger = ledgerWithRules(0, { destinations });
      await ledger.route(created());
      await ledger.route(foundGone());

      await ledger.route(realDeletion('9'));

      expect(told(ledger)).toEqual(['deal.deleted in 1']);
    });

    test('but the message of the deletion never left, then the merge is told', async () => {
      const ledger = ledgerWithRules();
      await ledger.route(created());
      await ledger.route(foundGone());
      for (const row of ledger.deliveries()) if (row.change.transition.type === 'deal.deleted') row.state = 'dropped';

      await ledger.route(realDeletion('9'));

      expect(told(ledger)).toEqual(['deal.merged in 1', 'deal.merged in 2']);
    });

    test('but it had been restored before, then the merge is told', async () => {
      const ledger = ledgerWithRules();
      await ledger.route(created());
      await ledger.route(foundGone());
      await ledger.route(aDealWebhook({ action: 'create', atMs: HOUR + 3000 }));

      await ledger.route(
        aDealWebhook({ action: 'delete', atMs: HOUR + 9000, previous: dealState(), meta: { merged_to_id: '9' } }),
      );

      expect(told(ledger)).toEqual(['deal.deleted in 1', 'deal.merged in 1', 'deal.merged in 2']);
    });

    test('and the survivor is watched in that space, then the watch says why it is silent', async () => {
      const watch = { id: 7, entity: 'deal', entityId: '9', chatWebhookId: 1, author: 'Ana', createdAt: at(0) };
      const ledger = makeMemoryLedger({ rules: [withDeletions[3] ?? aRule()], settleMs: 0, watches: [watch] });
      await ledger.route(created());
      await ledger.route(foundGone());

      await ledger.route(realDeletion('9'));

      expect(told(ledger)).toEqual(['deal.deleted in 1']);
      expect(ledger.codes(3)).toEqual(['-7:toldAsGone']);
    });
  });
});
