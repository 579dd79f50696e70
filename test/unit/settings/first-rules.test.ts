/** The rules that three answers make. */

import { createRuleBody } from '../../../src/api/rule-draft';
import { firstRules, teamPresets } from '../../../src/settings/first-rules';

const answers = {
  winsSpaceId: 1,
  teamSpaceId: 2,
  bigDeal: { amount: 25_000, currency: 'SEK' },
  teamNews: ['deal-lost', 'new-lead'],
};

test('when the questions are answered, then big wins come first and end the matter, and each space gets its own', () => {
  const rules = firstRules(answers);

  expect(rules.map(({ name, targetWebhookIds, stopAfter, position }) => [name, targetWebhookIds, stopAfter, position])).toEqual([
    ['Big deal won', [1], true, 1],
    ['Deal won', [1], false, 2],
    ['Deal lost', [2], false, 3],
    ['New lead', [2], false, 4],
  ]);
  expect(rules[0]?.filters).toMatchObject({ minValue: 25_000, currency: 'SEK' });
});

test('when no space is for the team, then only wins are told', () => {
  expect(firstRules({ ...answers, teamSpaceId: null }).map(({ name }) => name)).toEqual(['Big deal won', 'Deal won']);
});

test('when every offered piece of news is taken, then the API would take each rule', () => {
  const rules = firstRules({ ...answers, teamNews: teamPresets('EUR').map(({ key }) => key) });

  expect(rules.length).toBeGreaterThan(6);
  expect(rules.map((rule) => createRuleBody.safeParse(rule).error?.issues ?? [])).toEqual(rules.map(() => []));
});
