/** The preview of what is filled in: asked of the API as for everybody, worded and drawn for the editor. */

import type { Refusal } from '../../views/form';
import type { RulePreviewView } from '../../views/settings/rule-preview';
import { NoPreview, RulePreview } from '../../views/settings/rule-preview';
import { AppError } from '../core/errors';
import { TEMPLATE_MODES } from '../core/rule';
import { renderMessage } from '../messages/render-message';
import { sampleNames, sampleSubject } from '../messages/sample-subject';
import { attempt, type Attempt } from './attempt';
import { previewAnswer, previewView } from './preview-words';
import { loadKnown, savedFacts } from './rule-facts';
import { bodyOfForm, readRuleForm, type WrittenRule } from './rule-form';
import type { FormFacts } from './rule-form-view';
import type { SettingsDeps } from './settings-deps';
import type { PartAnswer, Visit } from './visit';

const DAYS = 30;
/** Events that are looked through while somebody types; the button looks through all of these days. */
const AT_ONCE = 500;

/** The draft that the fields describe. A name changes nothing of what is told, so none is needed yet. */
export function draftOfForm({ form, known }: Pick<FormFacts, 'form' | 'known'>): WrittenRule {
  return bodyOfForm({ ...form, name: form.name === '' ? 'New' : form.name }, known);
}

/** Paths of what is refused in a draft are those of the rule itself. */
export function aboutDraft(refusal: Refusal): Refusal {
  return { ...refusal, errors: refusal.errors.map(({ path, message }) => ({ path: path.replace(/^rule\./, ''), message })) };
}

export async function tryPreview(
  deps: SettingsDeps,
  { principal, viewer, signal, form: values }: Visit,
  facts: Pick<FormFacts, 'form' | 'known' | 'ruleId'>,
): Promise<Attempt<RulePreviewView>> {
  const { form, ruleId } = facts;
  const isWhole = values.has('whole');
  const asked = { rule: draftOfForm(facts).body, days: DAYS, ...(isWhole ? {} : { newest: AT_ONCE }) };
  const call = { method: 'post', path: '/rules/preview', body: asked, signal } as const;
  const tried = await attempt(() => deps.callApi(principal, call));
  if (!tried.done) return { done: false, refusal: aboutDraft(tried.refusal) };
  const mode = TEMPLATE_MODES.find((known) => known === form.layout) ?? 'compact';
  const subject = sampleSubject(viewer.tenant, form.eventType, mode, form.template || null, deps.clock());
  const answer = previewAnswer.parse(JSON.parse(JSON.stringify(tried.result)));
  const others = answer.otherRules.filter((other) => other.ruleId !== ruleId);
  const sample = renderMessage(subject, sampleNames());
  return { done: true, result: previewView({ ...answer, otherRules: others }, DAYS, sample, viewer.tenant) };
}

/** What the page exchanges by itself, so that nothing typed meanwhile is touched. Who may only look sees the rule as it is saved. */
export async function previewPart(deps: SettingsDeps, visit: Visit): Promise<PartAnswer> {
  const ruleId = visit.form.amount('ruleId');
  const facts = visit.viewer.isAdmin
    ? { ...(await typedFacts(deps, visit)), ruleId }
    : await savedFacts(deps, visit, ruleId ?? 0);
  const tried = await tryPreview(deps, visit, facts);
  return { kind: 'part', content: tried.done ? RulePreview({ view: tried.result }) : NoPreview({ refusal: tried.refusal }) };
}

async function typedFacts(deps: SettingsDeps, visit: Visit): Promise<Pick<FormFacts, 'form' | 'known'>> {
  const form = readRuleForm(visit.form);
  if (form === null) throw new AppError('bad_request', 'This is no form of a rule.', { status: 400 });
  const { known } = await loadKnown(deps, visit, form.eventType);
  return { form, known };
}
