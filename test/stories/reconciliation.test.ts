/** What Pipedrive's webhooks did not bring is found in its own lists and told late, once, whatever comes in which order. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { installedLongAgo, pastShadows } from '../support/long-ago';
import { postAs, rawWebhook } from '../support/raw-webhook';
import { useTestDatabase } from '../support/test-database';
import { waitUntil } from '../support/wait-until';
import { startWorld, type World } from '../support/world';
import { newDeal } from './tellings';

const MINUTE_MS = 60_000;
const ago = (minutes: number): Date => new Date(Date.now() - minutes * MINUTE_MS);

describe('Webhooks that never came', () => {
  afterEach(() => world.close());
  const testDatabase = useTestDatabase();
  let world: World;
  let token: string;
  let channel: Channel;

  beforeEach(async () => {
    await testDatabase.clear();
    world = await startWorld({
      ...{ databaseUrl: testDatabase.connectionString, config: { spaceIntervalMs: 0 } },
      chat: { enforceQuota: false },
    });
    token = await world.install();
    channel = await connectChannel(world, token, 'Wins');
    await reconcile();
    for (const type of ['deal.won', 'deal.lost', 'deal.created', 'deal.stage_changed'])
      await addRule(world, token, type, channel);
    await installedLongAgo(testDatabase.database.pool);
    await rest();
    world.pipedrive.clearLogs();
  });

  const rest = () => ledgerAtRest(world, testDatabase.database.pool);
  const texts = (): readonly string[] => world.chat.messages(channel.spaceId).map(visibleText);
  const isLate = (text: string): boolean => text.includes('Late: happened ');
  const wonCards = (title: string): readonly string[] => about(title).filter((text) => text.includes('Deal won'));
  const report = (query = '') => world.api('GET', `/reconciliation${query}`, token);
  const listCalls = () => world.pipedrive.requests.filter(({ path }) => path === '/api/v2/deals');
  const about = (title: string): readonly string[] => texts().filter((text) => text.includes(title));

  /** Compares now and waits until that is done and everything that was found is told. */
  async function reconcile(): Promise<void> {
    const { pool } = testDatabase.database;
    await pool.query(`UPDATE reconciliations SET last_started_at = NULL, last_finished_at = NULL, trouble = NULL`);
    const answer = await world.api('POST', '/reconciliation', token);
    expect(answer.status).toBe(202);
    await waitUntil('compared', async () => {
      const { rows } = await pool.query<{ done: boolean }>(
        'SELECT (last_finished_at IS NOT NULL OR trouble IS NOT NULL) AND lease_until IS NULL AS done FROM reconciliations',
      );
      return rows[0]?.done === true;
    });
    await rest();
  }

  /** A deal of which webhooks have told, some hours ago. */
  async function knownDeal(title: string): Promise<number> {
    const id = await newDeal(world, title);
    await rest();
    await pastShadows(testDatabase.database.pool);
    return id;
  }

  /** As if the last comparison, which was a moment ago, had been before all that the next one has to find. */
  async function comparedHoursAgo(): Promise<void> {
    await testDatabase.database.pool.query(
      `UPDATE reconciliations SET compared_until = jsonb_build_object('deal', now() - interval '4 hours')`,
    );
  }

  /** No webhook tells of anything any more, as when they are banned. */
  function deaf(): void {
    for (const webhook of world.pipedrive.webhooks.values()) webhook.isActive = false;
  }

  function hearing(): void {
    for (const webhook of world.pipedrive.webhooks.values()) webhook.isActive = true;
  }

  test('when deals were won, lost, made and moved while no webhook came, then each is told once, as late, with its time', async () => {
    const [known, moved] = [await knownDeal('Known and won'), await knownDeal('Known and moved')];
    deaf();
    world.pipedrive.updateDeal(known, { status: 'won' }, { at: ago(30) });
    world.pipedrive.updateDeal(moved, { stage_id: 13 }, { at: ago(29) });
    world.pipedrive.createDeal(DEMO_COMPANY_ID, { title: 'New and lost', status: 'lost' }, { at: ago(28) });
    const before = texts().length;

    await reconcile();
    await reconcile();

    expect(texts().length).toBe(before + 4);
    const [won] = about('Known and won').filter((text) => text.includes('Deal won'));
    expect(won).toContain('Late: happened ');
    expect(about('Known and moved').filter((text) => text.includes('Late: happened'))).toHaveLength(1);
    expect(about('New and lost').map(isLate)).toEqual([true, true]);
    const { body } = await report();
    expect(body.summary).toContain('1 won, 1 told, 1 late; 1 lost, 1 told, 1 late;');
    expect(body.counts['deal.created']).toMatchObject({ inPipedrive: 3, told: 3, late: 1, missing: 0 });
  });

  test('when the real webhook comes after all, then it tells nothing more; neither does one that came first', async () => {
    const [late, first] = [await knownDeal('Really late'), await knownDeal('Really first')];
    deaf();
    const wins = [late, first].map((id) => world.pipedrive.updateDeal(id, { status: 'won' }, { at: ago(20) }));
    const [lateWin, firstWin] = wins.map((deal) =>
      rawWebhook('deal', 'change', deal.id, {
        data: deal,
        previous: { status: 'open', won_time: null, close_time: null, update_time: deal.add_time },
        // Pipedrive's event comes a moment after the time that stands in the record.
        timestamp: new Date(Date.parse(deal.update_time ?? '') + 700).toISOString(),
        attempt: 4,
      }),
    );

    await postAs(world, firstWin);
    await rest();
    await reconcile();
    await postAs(world, lateWin);
    await rest();

    expect(wonCards('Really late').map(isLate)).toEqual([true]);
    expect(wonCards('Really first').map(isLate)).toEqual([false]);
    const events = await world.api('GET', `/events?entity=deal&entityId=${late}`, token);
    expect(JSON.stringify(events.body.items[0].decisions)).toContain('older than what was already known');
  });

  test('when deals were won or lost, told, reopened and closed anew while no webhook came, then the second time is told late, once', async () => {
    const [won, lost] = [await knownDeal('Won twice'), await knownDeal('Lost twice')];
    world.pipedrive.updateDeal(won, { status: 'won' }, { at: ago(100) });
    world.pipedrive.updateDeal(lost, { status: 'lost' }, { at: ago(100) });
    await rest();
    await reconcile();
    await comparedHoursAgo();
    deaf();
    for (const id of [won, lost]) world.pipedrive.updateDeal(id, { status: 'open' }, { at: ago(60) });
    const again = world.pipedrive.updateDeal(won, { status: 'won', value: 99_999 }, { at: ago(30) });
    world.pipedrive.updateDeal(lost, { status: 'lost' }, { at: ago(30) });

    await reconcile();
    await comparedHoursAgo();
    await reconcile();
    const timestamp = new Date(Date.parse(again.update_time ?? '') + 700).toISOString();
    await postAs(
      world,
      rawWebhook('deal', 'change', won, { data: again, previous: { status: 'open', won_time: null }, timestamp }),
    );
    await rest();

    expect(wonCards('Won twice').map(isLate)).toEqual([false, true]);
    expect(wonCards('Won twice').at(-1)).toContain('99,999');
    expect(
      about('Lost twice')
        .filter((text) => text.includes('Deal lost'))
        .map(isLate),
    ).toEqual([false, true]);
    expect((await report()).body.summary).toContain('2 won, 2 told, 1 late; 2 lost, 2 told, 1 late;');
  });

  test('when the times of told wins are corrected, heard and unheard, then none is told again and each counts once', async () => {
    const ids = [await knownDeal('Corrected A'), await knownDeal('Corrected B'), await knownDeal('Corrected C')];
    const [forward = 0, back = 0, unheard = 0] = ids;
    for (const id of ids) world.pipedrive.updateDeal(id, { status: 'won' }, { at: ago(100) });
    await rest();
    await reconcile();
    await comparedHoursAgo();
    const wonTime = (minutes: number) => ({ won_time: ago(minutes).toISOString().replace(/\.\d+/, '') });
    world.pipedrive.updateDeal(forward, wonTime(50), { at: ago(40) });
    world.pipedrive.updateDeal(back, wonTime(200), { at: ago(40) });
    await rest();
    deaf();
    world.pipedrive.updateDeal(unheard, wonTime(30), { at: ago(20) });

    await reconcile();
    await comparedHoursAgo();
    await reconcile();

    expect(wonCards('Corrected').map(isLate)).toEqual([false, false, false]);
    expect((await report()).body.summary).toContain('3 won, 3 told;');
  });

  test('when a webhook was lost and a later edit came through, then the win is told late all the same', async () => {
    const id = await knownDeal('Won, then edited');
    deaf();
    world.pipedrive.updateDeal(id, { status: 'won' }, { at: ago(40) });
    hearing();
    world.pipedrive.updateDeal(id, { title: 'Won, then edited again' }, { at: ago(30) });
    await rest();
    expect(wonCards('Won, then edited')).toEqual([]);

    await reconcile();
    await reconcile();

    expect(wonCards('Won, then edited again').map(isLate)).toEqual([true]);
  });

  test('when a change is a moment old, then its webhook is waited for, and the next run comes when that is over', async () => {
    const id = await knownDeal('Still on its way');
    deaf();
    world.pipedrive.updateDeal(id, { status: 'won' }, { at: ago(1) });

    await reconcile();

    expect(wonCards('Still on its way')).toEqual([]);
    const { body } = await report();
    const waitMs = Date.parse(body.nextRunAt) - Date.now();
    expect([waitMs > 2 * MINUTE_MS, waitMs < 4 * MINUTE_MS]).toEqual([true, true]);
    expect(body.counts['deal.won']).toMatchObject({ inPipedrive: 1, comparing: 1, missing: 0 });
    expect(body.summary).toContain('1 won, 0 told, 1 being compared;');
    expect(body.missing).toEqual([]);
  });

  test('when no later run has told of what was seen minutes ago, then it is missing, with its link', async () => {
    const id = await knownDeal('Told by nobody');
    deaf();
    world.pipedrive.updateDeal(id, { status: 'won' }, { at: ago(1) });
    await reconcile();
    await testDatabase.database.pool.query(`UPDATE sightings SET seen_at = seen_at - interval '10 minutes'`);

    const { body } = await report();

    expect(body.counts['deal.won']).toMatchObject({ inPipedrive: 1, comparing: 0, missing: 1 });
    expect(body.missing).toMatchObject([{ type: 'deal.won', link: `https://brightwater.pipedrive.com/deal/${id}` }]);
  });

  test('when nobody took webhooks in for an hour, then who comes back tells what was missed, without being asked', async () => {
    const id = await knownDeal('Won while we slept');
    const { pool } = testDatabase.database;
    deaf();
    world.pipedrive.updateDeal(id, { status: 'won' }, { at: ago(30) });
    hearing();
    await pool.query(`UPDATE heartbeats SET beat_at = now() - interval '1 hour'`);

    await world.startAnother({ web: true, worker: false });
    await waitUntil('told', () => wonCards('Won while we slept').length === 1);

    expect(wonCards('Won while we slept').map(isLate)).toEqual([true]);
  });

  test('when the owner of the webhooks is gone without a word, then the other user takes over and the gap is told', async () => {
    const id = await knownDeal('Won in between');
    const [adminId = 0, otherId = 0] = [...world.pipedrive.company(DEMO_COMPANY_ID).users.live.keys()];
    await world.install(otherId);
    world.pipedrive.revokeUser(DEMO_COMPANY_ID, adminId);
    world.pipedrive.updateDeal(id, { status: 'won' }, { at: ago(30) });
    expect(world.pipedrive.webhooks.size).toBe(0);

    await reconcile();
    await waitUntil('webhooks under the other user', () => world.pipedrive.webhooks.size === 9);
    await waitUntil('told', () => wonCards('Won in between').length === 1);

    expect(wonCards('Won in between').map(isLate)).toEqual([true]);
  });

  test('when the company’s budget is used up, then the report says so and the next run finds everything', async () => {
    const id = await knownDeal('Won without budget');
    deaf();
    world.pipedrive.updateDeal(id, { status: 'won' }, { at: ago(30) });
    const isList = ({ path }: { path: string }) => path === '/api/v2/deals';
    const body = { success: false, error: 'daily request limit reached' };
    world.pipedrive.failNext({ match: isList, status: 429, headers: { 'x-ratelimit-remaining': '70' }, body });

    await reconcile();
    const refused = await report();
    await reconcile();

    expect(refused.body).toMatchObject({ state: 'failed', reason: expect.stringContaining('daily request limit reached') });
    expect(Date.parse(refused.body.nextRunAt) - Date.now()).toBeGreaterThan(50 * MINUTE_MS);
    expect((await report()).body).toMatchObject({ state: 'ok', reason: null });
    expect(wonCards('Won without budget').map(isLate)).toEqual([true]);
  });

  test('when 10,000 deals rest and 700 were changed, then two pages are read, and all that was missed on both is told', async () => {
    deaf();
    const stale = ago(60 * 24 * 30);
    for (let index = 0; index < 10_000; index++) world.pipedrive.createDeal(DEMO_COMPANY_ID, { title: 'At rest' }, { at: stale });
    const ids = Array.from(
      { length: 700 },
      () => world.pipedrive.createDeal(DEMO_COMPANY_ID, { title: 'Awake' }, { at: stale }).id,
    );
    for (const id of ids) world.pipedrive.updateDeal(id, { value: 7 }, { at: ago(50) });
    for (const id of ids.slice(-3)) world.pipedrive.updateDeal(id, { status: 'lost' }, { at: ago(40) });
    const before = texts().length;

    await reconcile();

    expect(listCalls().map(({ query }) => Object.keys(query).includes('cursor'))).toEqual([false, true]);
    // Of deals and, because it was wanted, of archived ones.
    expect(world.pipedrive.tokenCost()).toBe(2 * 10 + 20);
    expect(texts().length - before).toBe(3);
  });

  test('when something is found more than a day late, then it is recorded and counted, and not told', async () => {
    await testDatabase.database.pool.query(`UPDATE tenants SET created_at = created_at - interval '9 days'`);
    await testDatabase.database.pool.query(`UPDATE rules SET enabled_at = enabled_at - interval '9 days'`);
    await testDatabase.database.pool.query(
      `UPDATE reconciliations SET since = since - interval '9 days', compared_until = jsonb_build_object('deal', now() - interval '3 days')`,
    );
    deaf();
    world.pipedrive.createDeal(DEMO_COMPANY_ID, { title: 'Old news', status: 'won' }, { at: ago(60 * 30) });

    await reconcile();

    expect(about('Old news')).toEqual([]);
    const { body } = await report(`?since=${ago(60 * 48).toISOString()}`);
    expect(body.counts['deal.won']).toMatchObject({ inPipedrive: 1, told: 0, tooOld: 1, missing: 0 });
    expect(body.summary).toContain('1 won, 0 told, 1 found too late to be news');
  });

  test('when a rule asks for a custom field, then a missed win of a deal that no webhook ever named is measured by it too', async () => {
    const field = world.pipedrive.company(DEMO_COMPANY_ID).customFields.deal.find(({ type }) => type === 'enum');
    const [wanted, other] = (field?.options ?? []).map(({ id }) => id);
    const conditions = { field: field?.code, op: 'is', value: wanted };
    const space = await connectChannel(world, token, 'By custom field');
    await addRule(world, token, 'deal.won', space, { filters: { conditions } });
    await testDatabase.database.pool.query(`UPDATE rules SET enabled_at = enabled_at - interval '5 hours'`);
    deaf();
    for (const [title, id] of [
      ['Right source', wanted],
      ['Wrong source', other],
    ] as const) {
      const custom_fields = { [field?.code ?? '']: { type: 'enum', id } };
      world.pipedrive.createDeal(DEMO_COMPANY_ID, { title, status: 'won', custom_fields }, { at: ago(30) });
    }

    await reconcile();

    const cards = world.chat.messages(space.spaceId).map(visibleText);
    expect(cards.map((text) => text.includes('Right source'))).toEqual([true]);
  });

  test('when a rule was switched on after a missed win, then the win is the past for it', async () => {
    const id = await knownDeal('Won before the rule');
    deaf();
    world.pipedrive.updateDeal(id, { status: 'won' }, { at: ago(30) });
    await testDatabase.database.pool.query(`UPDATE rules SET enabled_at = now() - interval '20 minutes'`);
    await testDatabase.database.pool.query('UPDATE tenants SET rules_version = rules_version + 1');

    await reconcile();

    expect(wonCards('Won before the rule')).toEqual([]);
  });

  test('when a lead, a person and an activity were missed, then rules on them are told late, and their lists are asked for', async () => {
    for (const type of ['lead.created', 'person.created', 'activity.completed', 'note.created']) {
      await addRule(world, token, type, channel);
    }
    await testDatabase.database.pool.query(`UPDATE rules SET enabled_at = enabled_at - interval '5 hours'`);
    const activity = world.pipedrive.createActivity(DEMO_COMPANY_ID, { subject: 'Call them' }, { at: ago(90) });
    await rest();
    deaf();
    world.pipedrive.createLead(DEMO_COMPANY_ID, { title: 'Missed lead' }, { at: ago(30) });
    world.pipedrive.createPerson(DEMO_COMPANY_ID, { name: 'Missed person' }, { at: ago(29) });
    world.pipedrive.updateActivity(activity.id, { done: true }, { at: ago(28) });
    world.pipedrive.createNote(DEMO_COMPANY_ID, { content: 'Missed note' }, { at: ago(27) });

    await reconcile();
    await reconcile();

    const told = ['Missed lead', 'Missed person', 'Call them', 'Missed note'].map((words) => about(words).map(isLate));
    expect(told).toEqual([[true], [true], [true], [true]]);
  });

  test('when deals were deleted, merged and archived while no webhook came, then rules on that are told late, once', async () => {
    for (const type of ['deal.deleted', 'deal.merged', 'deal.archived']) await addRule(world, token, type, channel);
    await testDatabase.database.pool.query(`UPDATE rules SET enabled_at = enabled_at - interval '5 hours'`);
    const [deleted, archived, merged, unheard, survivor] = [
      await knownDeal('Known and deleted'),
      await knownDeal('Known and archived'),
      await knownDeal('Swallowed'),
      await knownDeal('Merged unheard'),
      await knownDeal('Survivor'),
    ];
    world.pipedrive.mergeDeals(merged, survivor, { at: ago(50) });
    await rest();
    deaf();
    world.pipedrive.deleteDeal(deleted, { at: ago(30) });
    world.pipedrive.mergeDeals(unheard, survivor, { at: ago(30) });
    world.pipedrive.updateDeal(archived, { is_archived: true }, { at: ago(29) });
    const swallowed = about('Swallowed').length;

    await reconcile();
    await reconcile();

    const late = (title: string) => about(title).filter(isLate);
    expect(late('Known and deleted')).toEqual([expect.stringContaining('Deal deleted or merged')]);
    expect(late('Merged unheard')).toEqual([expect.stringContaining('Deal deleted or merged')]);
    expect(late('Known and archived')).toEqual([expect.stringContaining('Deal archived')]);
    expect(about('Swallowed')).toHaveLength(swallowed);
    const { body } = await report();
    expect(body.counts['deal.deleted']).toMatchObject({ inPipedrive: 2, told: 2, late: 2, missing: 0 });
  });

  test('when a deal was won and archived while no webhook came, and no rule tells of archiving, then the win is told late, once', async () => {
    const known = await knownDeal('Won and put away');
    deaf();
    world.pipedrive.updateDeal(known, { status: 'won' }, { at: ago(30) });
    world.pipedrive.updateDeal(known, { is_archived: true }, { at: ago(29) });

    await reconcile();
    await reconcile();

    expect(wonCards('Won and put away').map(isLate)).toEqual([true]);
  });

  test('when it is asked for twice within a minute, then the second is refused with a time; strangers may neither ask nor see', async () => {
    await reconcile();

    const again = await world.api('POST', '/reconciliation', token);
    const [, otherId = 0] = [...world.pipedrive.company(DEMO_COMPANY_ID).users.live.values()]
      .filter(({ access }) => !access.some(({ app, admin }) => app === 'global' && admin))
      .map(({ id }) => id);
    const member = await world.install(otherId);
    const forbidden = [await world.api('POST', '/reconciliation', member), await world.api('GET', '/reconciliation', member)];

    expect([again.status, again.headers.get('retry-after')]).toEqual([429, '60']);
    expect(forbidden.map(({ status }) => status)).toEqual([403, 403]);
    expect((await world.api('GET', '/reconciliation?since=2026-01-01', token)).status).toBe(422);
    expect((await world.api('GET', '/reconciliation', null)).status).toBe(401);
  });
});
