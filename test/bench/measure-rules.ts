/** What an event costs with 10, 100 and 1,000 rules, of which all listen to it or only ten do, and what deciding one rule takes. */

import { parseWebhook } from '../../src/core/pipedrive-event';
import { NO_RATES } from '../../src/core/exchange-rates';
import type { Rule } from '../../src/core/rule';
import { planBatch } from '../../src/rules/plan-batch';
import { compileRules } from '../../src/rules/route-events';
import { makeDealEvents } from './deal-events';
import { figure, type Figure } from './figures';
import { fill } from './measure-routing';
import { routeAll } from './route-all';
import type { Stage } from './stage';

const FEW = 10;
const MANY = 1_000;
/** The others are rules on lost deals; the events are deals won, by owners that no rule asks for. */
const CASES = [
  { rules: FEW, listening: FEW },
  { rules: 100, listening: FEW },
  { rules: MANY, listening: FEW },
  { rules: 100, listening: 100 },
  { rules: MANY, listening: MANY },
] as const;
const FILTERS = { ownerIds: [1] };

/** Every case starts from a copy of the same ledger; the rounds go through all cases. */
export async function measureRules(stage: Stage, isQuick: boolean): Promise<readonly Figure[]> {
  const events = isQuick ? 1_000 : 4_000;
  const filled = await stage.ledger.copy();
  await fill(stage, filled, events, 0);
  const costs = new Map<(typeof CASES)[number], number[]>(CASES.map((each) => [each, []]));
  for (let round = 0; round < (isQuick ? 1 : 3); round += 1) {
    for (const each of CASES) {
      const databaseUrl = await stage.ledger.copy(filled);
      await stage.ledger.query(databaseUrl, rulesOf(each));
      const { cpuMs } = await routeAll(stage, databaseUrl);
      costs.get(each)?.push((cpuMs / events) * 1000);
      await stage.ledger.drop(databaseUrl);
    }
  }
  await stage.ledger.drop(filled);
  const of = (index: number): readonly number[] => costs.get(CASES[index] ?? CASES[0]) ?? [];
  const compared = (index: number, with_: (cost: number, base: number) => number): readonly number[] =>
    of(index).map((cost, round) => with_(cost, of(0)[round] ?? Number.NaN));
  return [
    ...CASES.map((each) =>
      figure(
        'rules',
        `${each.rules.toLocaleString('en')} rules, ${each.listening.toLocaleString('en')} listen: CPU per event`,
        'µs',
        costs.get(each) ?? [],
      ),
    ),
    figure(
      'rules',
      '1,000 rules of which 10 listen, of 10 rules',
      'times',
      compared(2, (cost, base) => cost / base),
      'about 1',
    ),
    figure(
      'rules',
      'one more rule that listens, its decision written',
      'µs',
      compared(4, (cost, base) => (cost - base) / (MANY - FEW)),
    ),
    figure('rules', 'evaluating one rule', 'µs', evaluation(isQuick ? 3 : 10), 'microseconds'),
  ];
}

function rulesOf({ rules, listening }: (typeof CASES)[number]): string {
  return `
    DELETE FROM rules;
    INSERT INTO rules (tenant_id, name, event_type, filters, position, enabled_at)
    SELECT t.id, 'Rule ' || n, CASE WHEN n <= ${listening} THEN 'deal.won' ELSE 'deal.lost' END, '${JSON.stringify(FILTERS)}', n, '2020-01-01'
      FROM tenants t, generate_series(1, ${rules}) AS n`;
}

/** The engine alone on parsed events, without a database: the difference that many rules make, per rule. */
function evaluation(rounds: number): readonly number[] {
  const makeEvent = makeDealEvents('2 kB', 200);
  const events = Array.from({ length: 200 }, (_, n) => parseWebhook(Buffer.from(makeEvent(n)))).flatMap((parsed, index) =>
    parsed.kind === 'event' ? [{ id: index + 1, receivedAt: new Date(), event: parsed.event }] : [],
  );
  const planMs = (count: number): number => {
    const loaded = {
      rules: Array.from({ length: count }, (_, index) => aWonRule(index + 1)),
      destinations: [],
      muted: [],
      hasWatches: false,
    };
    const rules = { ...compileRules(loaded, 'EUR', 0), rates: NO_RATES, timeZone: 'UTC' };
    const begun = process.cpuUsage();
    planBatch(events, new Map(), [], rules);
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1000;
  };
  planMs(MANY);
  return Array.from({ length: rounds }, () => ((planMs(MANY) - planMs(FEW)) * 1000) / events.length / (MANY - FEW));
}

function aWonRule(id: number): Rule {
  return {
    ...{ id, name: `Rule ${id}`, eventType: 'deal.won', filters: FILTERS, targetWebhookIds: [], position: id },
    ...{ templateMode: 'compact', template: null, settleMs: null, stopAfter: false, urgent: false, digest: null },
    ...{ enabled: true, enabledAt: new Date(0) },
  };
}
