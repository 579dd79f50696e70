/** Settle windows over real bodies and several batches: one message of the net change per rule, destination and window. */

import type { RecordState } from '../../../src/core/record';
import { aDealWebhook, aRule, aWebhook, dealState, type SentWebhook } from '../../support/builders';
import { makeMemoryLedger, type MemoryLedger } from '../../support/memory-ledger';

const onStage = aRule({ id: 1, eventType: 'deal.stage_changed' });
const onWon = aRule({ id: 2, eventType: 'deal.won' });
const onCreated = aRule({ id: 3, eventType: 'deal.created' });
const onDeleted = aRule({ id: 4, eventType: 'deal.deleted' });
const onValue = aRule({ id: 5, eventType: 'deal.value_changed' });
const KEY = '3e9bb7da4983ebebda9e19851cc6828af134e3c8';

const move = (atMs: number, from: number, to: number, more: RecordState = {}) =>
  aDealWebhook({ atMs, previous: { stage_id: from }, data: { stage_id: to, ...more } });
const create = (atMs: number, data: RecordState = {}) => aDealWebhook({ atMs, action: 'create', data });
const remove = (atMs: number) => aWebhook({ atMs, action: 'delete', previous: dealState() });
const brief = (ledger: MemoryLedger) => ledger.told().map(({ rule, type, ways }) => `${rule} ${type} ${ways.join(' ')}`.trim());

/** Both ways of routing must come to the same: all events in one batch, and each in its own. */
describe.each([
  ['in one batch', true],
  ['each in its own batch', false],
])('when the events are routed %s', (_name, isTogether) => {
  async function routed(ledger: MemoryLedger, ...webhooks: readonly SentWebhook[]): Promise<MemoryLedger> {
    if (isTogether) await ledger.route(...webhooks);
    else for (const webhook of webhooks) await ledger.route(webhook);
    return ledger;
  }

  test('and a stage goes A to B to A inside the window, then nothing is told', async () => {
    const ledger = await routed(makeMemoryLedger({ rules: [onStage] }), move(0, 1, 2), move(1000, 2, 1));

    expect(brief(ledger)).toEqual([]);
    expect(ledger.codes(2)).toEqual(['1:settled']);
  });

  test('and a stage goes A to B to C inside the window, then one message tells A to C', async () => {
    const ledger = await routed(makeMemoryLedger({ rules: [onStage] }), move(0, 1, 2), move(1000, 2, 3));

    expect(brief(ledger)).toEqual(['1 deal.stage_changed 1>3']);
    expect(ledger.told()[0]).toMatchObject({ event: 1, dueMs: 1500 });
    expect(ledger.event(2).decisions).toEqual([{ ruleId: 1, matched: true, code: 'settled', toldByEventId: 1 }]);
  });

  test('and a rule listens to A while the stage goes A to B to A, then nothing is told', async () => {
    const rule = aRule({ eventType: 'deal.stage_changed', stageIds: [1] });

    const ledger = await routed(makeMemoryLedger({ rules: [rule] }), move(0, 1, 2), move(1000, 2, 1));

    expect(brief(ledger)).toEqual([]);
  });

  test('and a rule listens to B while the stage goes A to B to C, then nothing is told', async () => {
    const rule = aRule({ eventType: 'deal.stage_changed', stageIds: [2] });

    const ledger = await routed(makeMemoryLedger({ rules: [rule] }), move(0, 1, 2), move(1000, 2, 3));

    expect(brief(ledger)).toEqual([]);
  });

  test('and the stage moves back after the window, then both moves are told', async () => {
    const ledger = await routed(makeMemoryLedger({ rules: [onStage] }), move(0, 1, 2), move(2000, 2, 1));

    expect(brief(ledger)).toEqual(['1 deal.stage_changed 1>2', '1 deal.stage_changed 2>1']);
  });

  test('and a deal is edited right after its creation, then one message shows the edited deal', async () => {
    const edit = aDealWebhook({ atMs: 500, previous: { title: 'New deal' }, data: { title: 'Renamed' } });

    const ledger = await routed(makeMemoryLedger({ rules: [onCreated] }), create(0, { title: 'New deal' }), edit);

    expect(brief(ledger)).toEqual(['3 deal.created']);
    expect(ledger.deliveries()[0]?.change.state).toMatchObject({ title: 'Renamed' });
  });

  test('and a deal is created and deleted inside the window, then nothing is told', async () => {
    const ledger = await routed(makeMemoryLedger({ rules: [onCreated, onDeleted] }), create(0), remove(1000));

    expect(brief(ledger)).toEqual([]);
  });

  test('and a deal is created, moved and won inside the window, then it is told as created and as won', async () => {
    const won = aDealWebhook({ atMs: 900, previous: { status: 'open' }, data: { status: 'won', stage_id: 2 } });

    const ledger = await routed(
      makeMemoryLedger({ rules: [onStage, onWon, onCreated] }),
      create(0, { stage_id: 1 }),
      move(400, 1, 2),
      won,
    );

    expect(brief(ledger).sort()).toEqual(['2 deal.won', '3 deal.created']);
  });

  test('and a value follows a win inside the window, then the message of the win shows it', async () => {
    const won = aDealWebhook({ atMs: 0, previous: { status: 'open' }, data: { status: 'won', value: 0 } });
    const value = aDealWebhook({
      atMs: 1000,
      previous: { value: 0 },
      data: { status: 'won', value: 900 },
      meta: { user_id: '77' },
    });

    const ledger = await routed(makeMemoryLedger({ rules: [onWon] }), won, value);

    expect(brief(ledger)).toEqual(['2 deal.won "open">"won"']);
    expect(ledger.deliveries()[0]?.change).toMatchObject({ actorUserId: 1, state: { value: 900 } });
  });

  test('and a value lifts a win over the threshold inside the window, then the win is told once', async () => {
    const rule = aRule({ minValue: 500 });
    const won = aDealWebhook({ atMs: 0, previous: { status: 'open' }, data: { status: 'won', value: 0 } });
    const value = aDealWebhook({ atMs: 1000, previous: { value: 0 }, data: { status: 'won', value: 900 } });

    const ledger = await routed(makeMemoryLedger({ rules: [rule] }), won, value);

    expect(ledger.codes(1)).toEqual(['1:minValue']);
    expect(ledger.told()).toMatchObject([{ event: 2, type: 'deal.won', dueMs: 1500 }]);
  });

  test('and a value drops under the threshold inside the window, then nothing is told', async () => {
    const rule = aRule({ minValue: 500 });
    const won = aDealWebhook({ atMs: 0, previous: { status: 'open' }, data: { status: 'won', value: 900 } });
    const value = aDealWebhook({ atMs: 1000, previous: { value: 900 }, data: { status: 'won', value: 5 } });

    const ledger = await routed(makeMemoryLedger({ rules: [rule] }), won, value);

    expect(brief(ledger)).toEqual([]);
  });

  test('and a deal is won, lost and won inside the window, then one win is told', async () => {
    const lost = aDealWebhook({ atMs: 300, previous: { status: 'won' }, data: { status: 'lost' } });
    const won = (atMs: number, from: string) => aDealWebhook({ atMs, previous: { status: from }, data: { status: 'won' } });

    const ledger = await routed(makeMemoryLedger({ rules: [onWon] }), won(0, 'open'), lost, won(600, 'lost'));

    expect(brief(ledger)).toEqual(['2 deal.won "open">"won"']);
  });

  test('and a rule does not settle, then each event is told as it is', async () => {
    const rule = aRule({ eventType: 'deal.stage_changed', settleMs: 0 });
    const burst = [move(0, 1, 2), move(1, 2, 3), move(2, 3, 1)].map((webhook) => ({
      ...webhook,
      receivedAt: move(0, 1, 2).receivedAt,
    }));

    const ledger = await routed(makeMemoryLedger({ rules: [rule] }), ...burst);

    expect(ledger.told().map(({ ways, dueMs }) => `${ways.join()} ${dueMs}`)).toEqual(['1>2 0', '2>3 0', '3>1 0']);
  });

  test('and rules have windows of 0, 1500 and 60000 ms, then each tells its own net change', async () => {
    const rules = [0, 1500, 60_000].map((settleMs, index) =>
      aRule({ id: index + 1, eventType: 'deal.stage_changed', settleMs, targetWebhookIds: [index + 1] }),
    );

    const ledger = await routed(makeMemoryLedger({ rules }), move(0, 1, 2), move(1000, 2, 3), move(30_000, 3, 4));

    expect(
      ledger
        .told()
        .map(({ rule, ways, dueMs }) => `${rule} ${ways.join()} at ${dueMs}`)
        .sort(),
    ).toEqual(['1 1>2 at 0', '1 2>3 at 1000', '1 3>4 at 30000', '2 1>3 at 1500', '2 3>4 at 31500', '3 1>4 at 60000']);
  });

  test('and rules of different windows share a space, then later events wait behind earlier ones and are still told apart', async () => {
    const slow = aRule({ id: 1, eventType: 'deal.won', settleMs: 60_000 });
    const quick = aRule({ id: 2, eventType: 'deal.stage_changed', settleMs: 0 });
    const won = aDealWebhook({ atMs: 0, previous: { status: 'open', stage_id: 1 }, data: { status: 'won', stage_id: 2 } });

    const ledger = await routed(
      makeMemoryLedger({ rules: [slow, quick] }),
      won,
      move(5000, 2, 3, { status: 'won' }),
      move(9000, 3, 2, { status: 'won' }),
    );

    expect(ledger.told().map(({ rule, event, ways, dueMs }) => `${rule} #${event} ${ways.join()} at ${dueMs}`)).toEqual([
      '1 #1 "open">"won" at 60000',
      '2 #1 1>2 at 0',
      '2 #2 2>3 at 60000',
      '2 #3 3>2 at 60000',
    ]);
  });

  test('and a rule has several destinations, then each gets one message of the net change', async () => {
    const rule = aRule({ eventType: 'deal.stage_changed', targetWebhookIds: [1, 2, 3] });

    const ledger = await routed(makeMemoryLedger({ rules: [rule] }), move(0, 1, 2), move(1000, 2, 3));

    expect(ledger.told().map(({ to, ways }) => `${to} ${ways.join()}`)).toEqual(['1 1>3', '2 1>3', '3 1>3']);
  });

  test('and events come in one INSERT with one time of receipt, then they settle together', async () => {
    const events = [move(0, 1, 2), move(5, 2, 3)].map((webhook) => ({ ...webhook, receivedAt: move(0, 1, 2).receivedAt }));

    const ledger = await routed(makeMemoryLedger({ rules: [onStage] }), ...events);

    expect(brief(ledger)).toEqual(['1 deal.stage_changed 1>3']);
  });

  test('and an option field carries one option on both sides before another edit, then the field is told all the same', async () => {
    const rule = aRule({ eventType: 'deal.field_changed', fields: [KEY] });
    const option = { [KEY]: { id: 4581, type: 'enum' } };
    const enumEdit = aDealWebhook({
      atMs: 0,
      previous: { custom_fields: option },
      data: { custom_fields: option, title: 'Old' },
    });
    const titleEdit = aDealWebhook({ atMs: 900, previous: { title: 'Old' }, data: { custom_fields: option, title: 'New' } });

    const first = await routed(makeMemoryLedger({ rules: [rule] }), enumEdit, titleEdit);
    const second = await routed(
      makeMemoryLedger({ rules: [rule] }),
      aDealWebhook({ atMs: -1, previous: { title: 'Oldest' }, data: { custom_fields: option, title: 'Old' } }),
      { ...enumEdit, receivedAt: titleEdit.receivedAt },
    );

    expect(first.told()).toMatchObject([{ type: 'deal.field_changed', event: 1 }]);
    expect(second.told()).toMatchObject([{ type: 'deal.field_changed' }]);
  });

  test('and webhooks were missed before two quick edits, then nothing old is announced', async () => {
    const ledger = makeMemoryLedger({ rules: [onWon, onStage] });
    await ledger.route(create(0, { stage_id: 1 }));
    const edit = (atMs: number, from: string, title: string) =>
      aDealWebhook({ atMs, previous: { title: from }, data: { title, status: 'won', stage_id: 5 } });

    await routed(ledger, edit(90_000, 'a', 'b'), edit(90_500, 'b', 'c'));

    expect(brief(ledger)).toEqual([]);
  });

  test('and a merge brings values along before another edit, then only the merge is told', async () => {
    const onMerged = aRule({ id: 9, eventType: 'deal.merged' });
    const merged = aDealWebhook({ atMs: 0, previous: { value: 100 }, data: { value: 700 }, meta: { merged_from_id: '9' } });
    const edit = aDealWebhook({ atMs: 900, previous: { title: 'Old' }, data: { value: 700, title: 'New' } });

    const ledger = await routed(makeMemoryLedger({ rules: [onValue, onMerged] }), merged, edit);

    expect(brief(ledger)).toEqual(['9 deal.merged']);
    expect(ledger.deliveries()[0]?.change.state).toMatchObject({ title: 'New' });
  });

  /** One rule per settle time, each with a destination of its own. */
  const onWonEach = (...settleTimes: readonly number[]) =>
    settleTimes.map((settleMs, index) => aRule({ id: index + 1, settleMs, minValue: 500, targetWebhookIds: [index + 1] }));
  const win = (atMs: number, value: number) =>
    aDealWebhook({ atMs, previous: { status: 'open' }, data: { status: 'won', value } });
  const fill = (atMs: number, from: number, value: number) =>
    aDealWebhook({ atMs, previous: { value: from }, data: { status: 'won', value } });
  const rename = (atMs: number, data: RecordState = {}) =>
    aDealWebhook({ atMs, previous: { title: 'Before' }, data: { title: 'After', ...data } });

  test('and a longer rule keeps its window open, then a shorter one still tells a later win whose value follows', async () => {
    const ledger = await routed(
      makeMemoryLedger({ rules: onWonEach(1500, 60_000) }),
      create(0),
      win(30_000, 0),
      fill(31_000, 0, 900),
    );

    expect(ledger.told().map(({ rule, type, dueMs }) => `${rule} ${type} at ${dueMs}`)).toEqual([
      '1 deal.won at 31500',
      '2 deal.won at 60000',
    ]);
  });

  test('and a longer rule keeps its window open, then a shorter one still cancels what is taken back later', async () => {
    const rules = [1500, 60_000].map((settleMs, index) =>
      aRule({ id: index + 1, eventType: 'deal.stage_changed', settleMs, targetWebhookIds: [index + 1] }),
    );

    const ledger = await routed(makeMemoryLedger({ rules }), move(0, 1, 2), move(30_000, 2, 3), move(31_000, 3, 2));

    expect(ledger.told().map(({ rule, ways }) => `${rule} ${ways.join()}`)).toEqual(['1 1>2', '2 1>2']);
  });

  test('and windows follow each other, then each tells its own net change', async () => {
    const ledger = await routed(
      makeMemoryLedger({ rules: [onStage] }),
      ...[move(0, 1, 2), move(1500, 2, 3), move(1501, 3, 4), move(3001, 4, 3), move(3002, 3, 5)],
    );

    expect(ledger.told().map(({ ways, dueMs }) => `${ways.join()} at ${dueMs}`)).toEqual(['1>3 at 1500', '3>5 at 4502']);
  });

  test('and a rule is switched on inside the window of the others, then its own begins with the next event', async () => {
    const [old, young] = [
      aRule({ id: 1, minValue: 500, targetWebhookIds: [1] }),
      aRule({ id: 2, minValue: 500, targetWebhookIds: [2], enabledAtMs: 400 }),
    ];

    const lost = (atMs: number) => aDealWebhook({ atMs, previous: { status: 'open' }, data: { status: 'lost' } });
    const wonBack = (atMs: number) => aDealWebhook({ atMs, previous: { status: 'lost' }, data: { status: 'won', value: 0 } });

    const ledger = await routed(makeMemoryLedger({ rules: [old, young] }), lost(0), wonBack(1000), fill(2000, 0, 900));

    expect(ledger.told().map(({ rule, dueMs }) => `${rule} at ${dueMs}`)).toEqual(['2 at 2500']);
  });

  test('and an edit that no rule is about comes first, then the window opens with the change and lasts its whole time', async () => {
    const ledger = await routed(
      makeMemoryLedger({ rules: [onStage] }),
      ...[rename(0, { stage_id: 1 }), move(1000, 1, 2), move(2400, 2, 1)],
    );

    expect(brief(ledger)).toEqual([]);
  });

  test('and a rule asks in a condition whether the value rose, then the value opens its window', async () => {
    const conditions = { field: 'value', op: 'increasedBy', value: 500 } as const;
    const raise = aDealWebhook({ atMs: 0, previous: { value: 0 }, data: { value: 900 } });
    const won = aDealWebhook({ atMs: 1000, previous: { status: 'open' }, data: { status: 'won', value: 900 } });

    const ledger = await routed(makeMemoryLedger({ rules: [aRule({ conditions })] }), raise, won);

    expect(ledger.told()).toMatchObject([{ type: 'deal.won', dueMs: 1500 }]);
  });

  test('and a deal is won and reopened again inside the window, then a rule on reopened deals keeps silent too', async () => {
    const rule = aRule({ eventType: 'deal.reopened' });
    const reopened = aDealWebhook({ atMs: 900, previous: { status: 'won' }, data: { status: 'open' } });

    const ledger = await routed(makeMemoryLedger({ rules: [rule] }), win(0, 5), reopened);

    expect(brief(ledger)).toEqual([]);
  });

  test('and a rule is switched on between a change and its way back, then only what came after is told', async () => {
    const young = aRule({ id: 1, eventType: 'deal.stage_changed', enabledAtMs: 400 });

    const ledger = await routed(
      makeMemoryLedger({ rules: [young] }),
      move(0, 1, 2),
      move(1000, 2, 1),
      rename(1400, { stage_id: 1 }),
    );

    expect(brief(ledger)).toEqual(['1 deal.stage_changed 2>1']);
  });

  test('and an option field was edited without a visible difference before the rule matches, then the edit still counts', async () => {
    const rule = aRule({ eventType: 'deal.field_changed', fields: [KEY], minValue: 500 });
    const option = { [KEY]: { id: 4581, type: 'enum' } };
    const enumEdit = aDealWebhook({ atMs: 0, previous: { custom_fields: option }, data: { custom_fields: option, value: 0 } });
    const value = aDealWebhook({ atMs: 900, previous: { value: 0 }, data: { custom_fields: option, value: 900 } });

    const ledger = await routed(makeMemoryLedger({ rules: [rule] }), enumEdit, value);

    expect(brief(ledger)).toEqual([expect.stringContaining('1 deal.field_changed')]);
  });

  test('and a deal is deleted and brought back inside the window, then nothing is told', async () => {
    const back = aDealWebhook({ atMs: 900, action: 'create', data: {} });

    const ledger = await routed(makeMemoryLedger({ rules: [onDeleted, onCreated] }), remove(0), back);

    expect(brief(ledger)).toEqual([]);
  });
});
