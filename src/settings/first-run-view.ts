/** The three questions of the first run, both ways: fields to fill in, and answers out of what was filled in. Pure. */

import type { Refusal } from '../../views/form';
import type { DoneView, QuestionsView } from '../../views/settings/first-run';
import type { TestView } from '../../views/settings/test-result';
import type { ChatMessage } from '../core/chat-message';
import { counted } from '../core/counted';
import type { FieldError } from '../core/errors';
import type { Destination } from '../delivery/read-destination';
import { teamPresets, type FirstAnswers, type FirstRule } from './first-rules';
import type { FormValues } from './form-values';

export const USUAL_CURRENCIES = [
  'EUR',
  'USD',
  'GBP',
  'CHF',
  'SEK',
  'NOK',
  'DKK',
  'PLN',
  'CZK',
  'CAD',
  'AUD',
  'BRL',
  'INR',
  'JPY',
];
const USUAL_AMOUNT = 10_000;

type Spaces = readonly Pick<Destination, 'id' | 'name'>[];

/** `typed` is what was refused and shall stand again. */
export function questionsView(
  spaces: Spaces,
  baseCurrency: string,
  typed: { readonly form: FormValues; readonly refusal: Refusal } | null,
): QuestionsView {
  const first = String(spaces[0]?.id ?? '');
  const second = String(spaces[1]?.id ?? first);
  const form = typed?.form;
  return {
    spaces: spaces.map(({ id, name }) => ({ value: String(id), label: name })),
    winsSpace: form?.text('winsSpace') ?? first,
    teamSpace: form?.text('teamSpace') ?? second,
    amount: form?.text('amount') ?? String(USUAL_AMOUNT),
    currency: form?.text('currency') ?? baseCurrency,
    currencies: [...new Set([baseCurrency, ...USUAL_CURRENCIES])],
    news: teamPresets(baseCurrency).map(({ key, name }) => ({ key, name, isOn: form?.all('news').includes(key) ?? true })),
    refusal: typed?.refusal ?? null,
  };
}

/** The answers, or what is wrong with them. */
export function readAnswers(
  form: FormValues,
  spaces: Spaces,
): { readonly answers: FirstAnswers } | { readonly errors: readonly FieldError[] } {
  const spaceAt = (name: string) => spaces.find(({ id }) => String(id) === form.text(name))?.id ?? null;
  const winsSpaceId = spaceAt('winsSpace');
  const teamSpaceId = spaceAt('teamSpace');
  const amount = form.amount('amount');
  const currency = form.text('currency');
  const errors: FieldError[] = [];
  if (winsSpaceId === null) errors.push({ path: 'winsSpace', message: 'choose one of your spaces' });
  if (teamSpaceId === null && form.text('teamSpace') !== '')
    errors.push({ path: 'teamSpace', message: 'choose one of your spaces' });
  if (amount === null || !(amount >= 0)) errors.push({ path: 'amount', message: 'a number such as 10000' });
  if (!/^[A-Z]{3}$/.test(currency)) errors.push({ path: 'currency', message: 'choose a currency' });
  if (winsSpaceId === null || amount === null || errors.length > 0) return { errors };
  return { answers: { winsSpaceId, teamSpaceId, bigDeal: { amount, currency }, teamNews: form.all('news') } };
}

/** One rule per space is tried: the first that posts there, which for wins is the big one. */
export function rulesToTry(
  rules: readonly (FirstRule & { readonly id: number })[],
): readonly { ruleId: number; spaceId: number }[] {
  const bySpace = new Map<number, number>();
  for (const { id, targetWebhookIds } of rules)
    for (const spaceId of targetWebhookIds) if (!bySpace.has(spaceId)) bySpace.set(spaceId, id);
  return [...bySpace].map(([spaceId, ruleId]) => ({ spaceId, ruleId }));
}

export function doneView(
  tests: readonly { spaceId: number; test: TestView }[],
  spaces: Spaces,
  rules: number,
  card: ChatMessage,
): DoneView {
  return {
    card,
    tests: tests.map(({ spaceId, test }) => ({ space: spaces.find(({ id }) => id === spaceId)?.name ?? 'The space', test })),
    rules: `${counted(rules, 'rule')} ${rules === 1 ? 'is' : 'are'} on`,
  };
}
