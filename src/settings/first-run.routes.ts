/** What the first run sends: the first space, and the answers that become rules. */

import { z } from 'zod';
import { Done, FirstSpace, Questions } from '../../views/settings/first-run';
import { listDestinations } from '../delivery/chat-webhook.store';
import { renderMessage } from '../messages/render-message';
import { sampleNames, sampleSubject } from '../messages/sample-subject';
import { attempt } from './attempt';
import { connectSpace, sendTestCard, trySpace } from './connect-space';
import { firstRules, type FirstRule } from './first-rules';
import { doneView, questionsView, readAnswers, rulesToTry } from './first-run-view';
import { overviewPage } from './overview-page';
import type { SettingsDeps } from './settings-deps';
import type { PageAnswer, PageRoute, Visit } from './visit';

export function firstRunPages(deps: SettingsDeps): PageRoute[] {
  return [
    { method: 'post', path: 'overview/space', access: 'change', handle: (visit) => addSpace(deps, visit) },
    { method: 'post', path: 'overview/try', access: 'change', handle: (visit) => tryOut(deps, visit) },
    { method: 'post', path: 'overview/rules', access: 'change', handle: (visit) => addRules(deps, visit) },
  ];
}

async function addSpace(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const outcome = await connectSpace(deps, visit);
  if (outcome.kind === 'form') return await overviewPage(deps, visit, { setUp: FirstSpace({ view: outcome.form }), status: 422 });
  return await overviewPage(deps, visit, { message: `${outcome.name} is connected` });
}

async function tryOut(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const view = await trySpace(deps, visit);
  return await overviewPage(deps, visit, { setUp: FirstSpace({ view }), status: view.refusal === null ? 200 : 422 });
}

async function addRules(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { tenant } = visit.viewer;
  const spaces = await listDestinations(deps.database.prisma, tenant.id);
  const read = readAnswers(visit.form, spaces);
  const refused = (refusal: { message: string; errors: readonly { path: string; message: string }[] }) => {
    const view = questionsView(spaces, tenant.baseCurrency, { form: visit.form, refusal });
    return overviewPage(deps, visit, { setUp: Questions({ view }), status: 422 });
  };
  if ('errors' in read) return await refused({ message: 'Some answers are missing.', errors: read.errors });
  const rules = firstRules(read.answers);
  const made = await attempt(() => makeAll(deps, visit, rules));
  if (!made.done) return await refused(made.refusal);
  const tests = [];
  for (const { ruleId, spaceId } of rulesToTry(made.result))
    tests.push({ spaceId, test: await sendTestCard(deps, visit, { ruleId }) });
  // The first rule is that of the big win, whose test this is.
  const card = renderMessage(sampleSubject(tenant, 'deal.won', 'detailed', null, deps.clock()), sampleNames());
  return await overviewPage(deps, visit, { setUp: Done({ view: doneView(tests, spaces, made.result.length, card) }) });
}

const importAnswer = z.object({ rules: z.array(z.object({ index: z.int(), ruleId: z.int().nullable() })) });

/** All or none, so that nobody is left with half a beginning. */
async function makeAll(
  { callApi }: SettingsDeps,
  { principal, viewer }: Visit,
  rules: readonly FirstRule[],
): Promise<readonly (FirstRule & { readonly id: number })[]> {
  const document = { version: 1, source: { companyId: viewer.tenant.companyId }, rules };
  const answer = await callApi(principal, { method: 'post', path: '/rules/import', body: { document } });
  const ids = new Map(importAnswer.parse(answer).rules.map(({ index, ruleId }) => [index, ruleId]));
  return rules.flatMap((rule, index) => {
    const id = ids.get(index) ?? null;
    return id === null ? [] : [{ ...rule, id }];
  });
}
