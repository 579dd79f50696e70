/** Connecting a space and trying a webhook: what the first run and the page of the spaces both do. */

import { z } from 'zod';
import type { NewSpaceView } from '../../views/settings/space-connect';
import type { TestView } from '../../views/settings/test-result';
import { invalid } from '../api/endpoint';
import { parseChatUrl } from '../clients/google-chat-url';
import type { TestResult } from '../delivery/send-test';
import { attempt } from './attempt';
import type { FormValues } from './form-values';
import type { SettingsDeps } from './settings-deps';
import type { Visit } from './visit';

export type ConnectOutcome =
  | { readonly kind: 'connected'; readonly name: string }
  /** What was typed stands in the form again, with what came of it. */
  | { readonly kind: 'form'; readonly form: NewSpaceView };

export const EMPTY_FORM: NewSpaceView = { name: '', url: '', refusal: null, test: null, isFirstRun: false };

/** Saves what was typed as a destination. */
export async function connectSpace({ callApi }: SettingsDeps, { form, principal }: Visit): Promise<ConnectOutcome> {
  const typed = typedIn(form);
  const { name, url } = typed;
  const tried = await attempt(() => callApi(principal, { method: 'post', path: '/chat-webhooks', body: { name, url } }));
  return tried.done ? { kind: 'connected', name } : { kind: 'form', form: { ...typed, refusal: tried.refusal } };
}

function typedIn(form: FormValues): NewSpaceView {
  const isFirstRun = form.text('return') === 'overview';
  return { ...EMPTY_FORM, name: form.text('name'), url: form.text('url'), isFirstRun };
}

/** Sends a sample to the URL that was typed; nothing is saved. */
export async function trySpace(deps: SettingsDeps, { form, viewer }: Visit): Promise<NewSpaceView> {
  const typed = typedIn(form);
  const tried = await attempt(async () => {
    const parsed = parseChatUrl(typed.url, deps.googleChatOrigin);
    if (parsed.kind === 'problem') throw invalid([{ path: 'url', message: parsed.message }]);
    return await deps.tryUrl(viewer.tenant, parsed.parts);
  });
  return tried.done ? { ...typed, test: testView(tried.result) } : { ...typed, refusal: tried.refusal };
}

const testAnswer = z.object({
  status: z.enum(['success', 'failure']),
  httpStatus: z.number().nullable(),
  errorMessage: z.string().nullish(),
});

/** Sends a sample by a rule, saved or not, or to a destination. */
export async function sendTestCard(
  { callApi }: SettingsDeps,
  { principal }: Visit,
  target: { readonly ruleId: number } | { readonly chatWebhookId: number } | { readonly rule: object },
): Promise<TestView> {
  return testView(testAnswer.parse(await callApi(principal, { method: 'post', path: '/test', body: target })));
}

/** What came of a test, in words. */
export function testView({
  status,
  httpStatus,
  errorMessage,
}: Omit<TestResult, 'errorMessage'> & { readonly errorMessage?: string | null | undefined }): TestView {
  if (status === 'success') return { isSent: true, text: 'Test card sent. Check the space in Google Chat.' };
  return { isSent: false, text: `The test card did not arrive. ${whyNot(httpStatus, errorMessage ?? null)}` };
}

/** What a person can do about it, where there is something. */
function whyNot(httpStatus: number | null, reason: string | null): string {
  switch (httpStatus) {
    case 401:
    case 403:
    case 404:
      return `Google Chat does not know this webhook (${httpStatus}): it was deleted, or the link is incomplete. Copy the link in Google Chat again.`;
    case 429:
      return 'Google Chat is busy with this space (429). Try again in a minute.';
    case null:
      return reason ?? 'Google Chat did not answer. Try again in a minute.';
    default:
      return reason ?? `Google Chat answered ${httpStatus}.`;
  }
}
