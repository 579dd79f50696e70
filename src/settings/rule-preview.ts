/** The preview of what is filled in: asked of the API as for everybody, worded and drawn for the editor. */

import type { RulePreviewView } from '../../views/settings/rule-preview';
import { NoPreview, RulePreview } from '../../views/settings/rule-preview';
import { AppError } from '../core/errors';
import { TEMPLATE_MODES } from '../core/rule';
import { renderMessage } from '../messages/render-message';
import { sampleNames, sampleSubject } from '../messages/sample-subject';
import { attempt, type Attempt } from './attempt';
import { previewAnswer, previewView } from './preview-words';
import { loadKnown } from './rule-facts';
import { bodyOfForm, readRuleForm } from './rule-form';
import type { FormFacts } from './rule-form-view';
import type { SettingsDeps } from './settings-deps';
import type { PartAnswer, Visit } from './visit';

const DAYS = 30;

/** Paths of what is refused are those of the rule itself. */
export async function tryPreview(
  deps: SettingsDeps,
  { principal, viewer, signal }: Visit,
  { form, known, ruleId }: Pick<FormFacts, 'form' | 'known' | 'ruleId'>,
): Promise<Attempt<RulePreviewView>> {
  // A name changes nothing of what is told, so none is needed yet.
  const named = { ...form, name: form.name === '' ? 'New' : form.name };
  const { body } = bodyOfForm(named, known);
  const call = { method: 'post', path: '/rules/preview', body: { rule: body, days: DAYS }, signal } as const;
  const tried = await attempt(() => deps.callApi(principal, call));
  if (!tried.done) {
    const errors = tried.refusal.errors.map(({ path, message }) => ({ path: path.replace(/^rule\./, ''), message }));
    return { done: false, refusal: { ...tried.refusal, errors } };
  }
  const mode = TEMPLATE_MODES.find((known_) => known_ === form.layout) ?? 'compact';
  const subject = sampleSubject(viewer.tenant, form.eventType, mode, form.template || null, deps.clock());
  const answer = previewAnswer.parse(JSON.parse(JSON.stringify(tried.result)));
  const others = answer.otherRules.filter((other) => other.ruleId !== ruleId);
  const sample = renderMessage(subject, sampleNames());
  return { done: true, result: previewView({ ...answer, otherRules: others }, DAYS, sample, viewer.tenant) };
}

/** What the button exchanges, so that nothing typed meanwhile is touched. */
export async function previewPart(deps: SettingsDeps, visit: Visit): Promise<PartAnswer> {
  const form = readRuleForm(visit.form);
  if (form === null) throw new AppError('bad_request', 'This is no form of a rule.', { status: 400 });
  const { known } = await loadKnown(deps, visit, form.eventType);
  const tried = await tryPreview(deps, visit, { form, known, ruleId: visit.form.amount('ruleId') });
  return { kind: 'part', content: tried.done ? RulePreview({ view: tried.result }) : NoPreview({ refusal: tried.refusal }) };
}
