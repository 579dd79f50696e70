/** What routing makes of single events, merges and lead conversions: shadows, decisions and messages. */

import { aDealWebhook, aRule, aWebhook, at, dealState, type SentWebhook } from '../../support/builders';
import { makeMemoryLedger, type MemoryLedger } from '../../support/memory-ledger';

const LEAD = 'b1810230-6c0d-11ed-9826-a53d0eb706a5';
const CORRELATION = '59713ec6-03bf-42ad-a044-5f0403c1e5bb';
const every = (
  [
    'deal.created',
    'deal.won',
    'deal.merged',
    'deal.deleted',
    'deal.stage_changed',
    'lead.created',
    'lead.converted',
    'lead.archived',
  ] as const
).map((eventType, index) => aRule({ id: index + 1, eventType }));
const types = (ledger: MemoryLedger) => ledger.told().map(({ type }) => type);

describe('an event is older than what is known of its record', () => {
  test('then it is not told, moves nothing and says so', async () => {
    const ledger = makeMemoryLedger({ rules: every });
    await ledger.route(aDealWebhook({ atMs: 10_000, previous: { stage_id: 1 }, data: { stage_id: 2 } }));

    await ledger.route(
      aDealWebhook({ atMs: 5000, receivedMs: 11_000, previous: { status: 'open' }, data: { status: 'won', stage_id: 1 } }),
    );

    expect(types(ledger)).toEqual(['deal.stage_changed']);
    expect(ledger.codes(2)).toEqual(['2:outdated']);
    expect(ledger.event(2).transitions).toContain('deal.won');
    expect(ledger.shadow('deal', '8')).toMatchObject({ occurredAt: at(10_000), state: { stage_id: 2 } });
  });

  test('when it names a user, pipeline or stage, then the name stays the newer one', async () => {
    const ledger = makeMemoryLedger({ rules: every });
    const stage = (atMs: number, name: string) =>
      aWebhook({ entity: 'stage', id: 3, action: 'change', atMs, data: { id: 3, name } });

    await ledger.route(stage(2000, 'New'), stage(1000, 'Old'));

    expect(ledger.shadow('stage', '3')?.state).toMatchObject({ name: 'New' });
  });

  test('when an event as old as what is known comes, then the state stays the same', async () => {
    const ledger = makeMemoryLedger({ rules: every });
    const event = aDealWebhook({ atMs: 0, previous: { stage_id: 1 }, data: { stage_id: 2 } });
    await ledger.route(event);
    const before = ledger.shadow('deal', '8');

    await ledger.route(event);

    expect(ledger.shadow('deal', '8')).toEqual(before);
  });
});

describe('shadows', () => {
  test('when custom fields are unset, then the shadow leaves them out', async () => {
    const ledger = makeMemoryLedger({ rules: every });

    await ledger.route(aDealWebhook({ data: { custom_fields: { a: null, b: { type: 'double', value: 1 } } } }));

    expect(ledger.shadow('deal', '8')?.state['custom_fields']).toEqual({ b: { type: 'double', value: 1 } });
  });

  test('when a deletion says only the id, then the message shows what was last known', async () => {
    const ledger = makeMemoryLedger({ rules: every });
    await ledger.route(aDealWebhook({ data: { title: 'Known' } }));

    await ledger.route(aWebhook({ atMs: 9000, action: 'delete', previous: { id: 8 } }));

    expect(ledger.deliveries()[1]?.change).toMatchObject({ transition: { type: 'deal.deleted' }, state: { title: 'Known' } });
    expect(ledger.shadow('deal', '8')).toMatchObject({ deletedAt: at(9000), state: { title: 'Known' } });
  });

  test('when a deletion says nothing, then it is told all the same', async () => {
    const ledger = makeMemoryLedger({ rules: every });

    await ledger.route(aWebhook({ action: 'delete' }));

    expect(types(ledger)).toEqual(['deal.deleted']);
  });
});

describe.each([0, 1500])('with windows of %d ms', (settleMs) => {
  describe.each([
    ['in one batch', true],
    ['each in its own batch', false],
  ])('and the halves %s', (_name, isTogether) => {
    async function routed(...webhooks: readonly SentWebhook[]): Promise<MemoryLedger> {
      const ledger = makeMemoryLedger({ rules: every, settleMs });
      if (isTogether) await ledger.route(...webhooks);
      else for (const webhook of webhooks) await ledger.route(webhook);
      return ledger;
    }
    const deletedHalf = (atMs: number) =>
      aWebhook({ id: 9, atMs, action: 'delete', previous: dealState({ id: 9 }), meta: { merged_to_id: '8' } });
    const changedHalf = (atMs: number) =>
      aDealWebhook({ atMs, previous: { update_time: 'x', stage_id: 1 }, data: { stage_id: 2 }, meta: { merged_from_id: '9' } });

    test('when a deal swallows another, the deleted half first, then the merge is told once', async () => {
      const ledger = await routed(deletedHalf(0), changedHalf(200));

      expect(types(ledger)).toEqual(['deal.merged']);
      expect(ledger.deliveries()[0]?.change).toMatchObject({ entityId: '8', transition: { relatedId: '9' } });
    });

    test('when a deal swallows another, the survivor first, then the merge is told once', async () => {
      const ledger = await routed(changedHalf(0), deletedHalf(200));

      expect(types(ledger)).toEqual(['deal.merged']);
      expect(ledger.deliveries()[0]?.change).toMatchObject({
        entityId: '8',
        transition: { relatedId: '9' },
        state: { stage_id: 2 },
      });
    });

    test('when the survivor was never heard of, then filters look at the deal that it swallowed', async () => {
      const rules = [5, 6].map((pipeline, index) => aRule({ id: index + 1, eventType: 'deal.merged', pipelineIds: [pipeline] }));
      const ledger = makeMemoryLedger({ rules, settleMs });
      const previous = dealState({ id: 9, pipeline_id: 5, title: 'Twin' });

      await ledger.route(aWebhook({ id: 9, action: 'delete', previous, meta: { merged_to_id: '8' } }));

      const changes = ledger.deliveries().map(({ change, ruleId }) => ({ ruleId, entityId: change.entityId, ...change.state }));
      expect(changes).toMatchObject([{ ruleId: 1, entityId: '8', title: 'Twin' }]);
    });

    test('when a deal swallows two others, then both merges are told', async () => {
      const second = aWebhook({
        id: 10,
        atMs: 5000,
        action: 'delete',
        previous: dealState({ id: 10 }),
        meta: { merged_to_id: '8' },
      });

      const ledger = await routed(deletedHalf(0), second);

      expect(types(ledger)).toEqual(['deal.merged', 'deal.merged']);
    });

    const leadGone = (atMs: number, action: 'delete' | 'change') =>
      action === 'delete'
        ? aWebhook({
            entity: 'lead',
            id: LEAD,
            atMs,
            action,
            previous: { id: LEAD, title: 'Lead' },
            meta: { correlation_id: CORRELATION },
          })
        : aWebhook({
            ...{ entity: 'lead', id: LEAD, atMs, action, previous: { is_archived: false } },
            ...{ data: { id: LEAD, title: 'Lead', is_archived: true }, meta: { correlation_id: CORRELATION } },
          });
    const dealComes = (atMs: number) => aDealWebhook({ atMs, meta: { correlation_id: CORRELATION } });

    test.each(['delete', 'change'] as const)(
      'when a lead goes (%s) and a deal comes, then only the conversion is told',
      async (action) => {
        const ledger = await routed(leadGone(0, action), dealComes(900));

        // Without a window what was routed before has left before anybody could know better.
        const archived = settleMs === 0 && !isTogether && action === 'change' ? ['lead.archived'] : [];
        expect(types(ledger)).toEqual([...archived, 'lead.converted']);
      },
    );

    test.each(['delete', 'change'] as const)(
      'when a deal comes and its lead goes (%s), then only the conversion is told',
      async (action) => {
        const ledger = await routed(dealComes(0), leadGone(900, action));

        const created = settleMs === 0 && !isTogether ? ['deal.created'] : [];
        expect(types(ledger)).toEqual([...created, 'lead.converted']);
        expect(ledger.deliveries().at(-1)?.change).toMatchObject({
          entity: 'deal',
          entityId: '8',
          transition: { relatedId: LEAD },
        });
      },
    );

    test('when a lead is archived and then deleted on its way to a deal, then the conversion is told once', async () => {
      const ledger = await routed(dealComes(0), leadGone(100, 'change'), leadGone(200, 'delete'));

      expect(types(ledger).filter((type) => type !== 'deal.created')).toEqual(['lead.converted']);
    });

    test('when the halves are more than a minute apart, then they are two stories', async () => {
      const ledger = await routed(leadGone(0, 'change'), dealComes(60_001));

      expect(types(ledger)).toEqual(['lead.archived', 'deal.created']);
    });

    test('when the halves are a minute apart, then they are one conversion', async () => {
      const ledger = await routed(leadGone(0, 'delete'), dealComes(60_000));

      expect(types(ledger)).toEqual(['lead.converted']);
    });

    test.each(['source_lead_id', 'origin_id'])(
      'when the deal names its lead in %s, then the conversion is told once',
      async (field) => {
        const gone = aWebhook({ entity: 'lead', id: LEAD, atMs: 900, action: 'delete', previous: { id: LEAD } });

        const ledger = await routed(aDealWebhook({ atMs: 0, data: { [field]: LEAD } }), gone);

        expect(types(ledger)).toEqual(['lead.converted']);
      },
    );

    test('when a converted deal is created as won, then both are told', async () => {
      const ledger = await routed(
        leadGone(0, 'delete'),
        aDealWebhook({ atMs: 10, data: { status: 'won' }, meta: { correlation_id: CORRELATION } }),
      );

      expect(types(ledger).sort()).toEqual(['deal.won', 'lead.converted']);
    });

    test('when a converted deal is edited later, then nothing more is told', async () => {
      const edit = aDealWebhook({ atMs: 1000, previous: { title: 'Old' }, data: { source_lead_id: LEAD } });

      const ledger = await routed(aDealWebhook({ atMs: 0, data: { source_lead_id: LEAD } }), edit);

      expect(types(ledger)).toEqual(['lead.converted']);
    });
  });
});

describe('origins that are no lead', () => {
  test.each(['178', 'form-12', null, 12])('when origin_id is %j, then the deal is told as created', async (origin) => {
    const ledger = makeMemoryLedger({ rules: every });

    await ledger.route(aDealWebhook({ data: { origin_id: origin } }));

    expect(types(ledger)).toEqual(['deal.created']);
  });

  test('when a lead and a deal share no correlation, then each is its own story', async () => {
    const ledger = makeMemoryLedger({ rules: every });
    const archived = aWebhook({
      entity: 'lead',
      id: LEAD,
      previous: { is_archived: false },
      data: { id: LEAD, is_archived: true },
    });

    await ledger.route(archived, aDealWebhook({ atMs: 100 }));

    expect(types(ledger)).toEqual(['lead.archived', 'deal.created']);
  });
});

describe('decisions', () => {
  test('when a rule has no destination left, then it matched and says why nothing was sent', async () => {
    const ledger = makeMemoryLedger({ rules: [aRule({ eventType: 'deal.created' })], destinations: [] });

    await ledger.route(aDealWebhook());

    expect(ledger.event(1).decisions).toEqual([{ ruleId: 1, matched: true, code: 'noDestination' }]);
    expect(ledger.told()).toEqual([]);
  });

  test('when one event is several transitions, then every listening rule decides', async () => {
    const ledger = makeMemoryLedger({ rules: every });

    await ledger.route(aDealWebhook({ previous: { status: 'open', stage_id: 1 }, data: { status: 'won', stage_id: 2 } }));

    expect([...ledger.codes(1)].sort()).toEqual(['2:matched', '5:matched']);
  });

  test('when a body in the ledger is no event, then it is finished with the reason and blocks nothing', async () => {
    const ledger = makeMemoryLedger({ rules: every });

    await ledger.route({ body: Buffer.from('nonsense'), receivedAt: at(0) }, aDealWebhook());

    expect(ledger.event(1).ignoredReason).toContain('not a Pipedrive webhook');
    expect(types(ledger)).toEqual(['deal.created']);
  });

  test('when more events wait than one batch takes, then all are routed in order', async () => {
    const ledger = makeMemoryLedger({ rules: every });

    await ledger.route(...Array.from({ length: 450 }, (_, index) => aDealWebhook({ id: index + 1 })));

    expect(ledger.told().map(({ event }) => event)).toEqual(Array.from({ length: 450 }, (_, index) => index + 1));
  });
});

describe('a lead that goes', () => {
  const gone = (atMs: number) =>
    aWebhook({
      ...{ entity: 'lead', id: LEAD, atMs, previous: { is_archived: false } },
      ...{ data: { id: LEAD, title: 'Lead', is_archived: true }, meta: { correlation_id: CORRELATION } },
    });
  const back = (atMs: number) =>
    aWebhook({
      ...{ entity: 'lead', id: LEAD, atMs, previous: { is_archived: true } },
      ...{ data: { id: LEAD, title: 'Lead', is_archived: false } },
    });

  test('when its deal comes seconds later, then only the conversion is told', async () => {
    const ledger = makeMemoryLedger({ rules: every });
    await ledger.route(gone(0));
    ledger.sendUntil(4000);

    await ledger.route(aDealWebhook({ atMs: 4000, meta: { correlation_id: CORRELATION } }));

    expect(types(ledger)).toEqual(['lead.converted']);
  });

  test('when it comes back seconds later, then nothing is told', async () => {
    const ledger = makeMemoryLedger({ rules: every });

    await ledger.route(gone(0));
    await ledger.route(back(4000));

    expect(types(ledger)).toEqual([]);
  });

  test.each([
    [null, 4500],
    [100, 100],
    [0, 0],
  ])('when the rule waits %j ms, then it is told after %d ms', async (settleMs, dueMs) => {
    const ledger = makeMemoryLedger({ rules: [aRule({ eventType: 'lead.archived', settleMs })] });

    await ledger.route(gone(0));

    expect(ledger.told()).toMatchObject([{ dueMs }]);
  });
});
