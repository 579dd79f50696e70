/** The preview of what is filled in: asked of the API as for everybody, worded and drawn for the editor. */

import type { Refusal } from '../../views/form';
import type { RulePreviewView } from '../../views/settings/rule-preview';
import { NoPreview, RulePreview } from '../../views/settings/rule-preview';
import { AppError } from '../core/errors';
import { TEMPLATE_MODES } from '../core/rule';
import { renderMessage } from '../messages/render-message';
import { sampleNames, sampleSubject } from '../messages/sample-subject';
import { unknownNames } from '../messages/text-template';
import type { KnownFields } from '../rules/field-catalogue';
import { attempt, type Attempt } from './attempt';
import type { ConditionGroup, ConditionLine, ConditionNode } from './condition-form';
import { inputOf } from './condition-value';
import { previewAnswer, previewView } from './preview-words';
import { loadKnown, savedFacts } from './rule-facts';
import { bodyOfForm, readRuleForm, type WrittenRule } from './rule-form';
import type { FormFacts } from './rule-form-view';
import { conditionLabels, refusalOfForm } from './rule-refusal';
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
  const { conditions, left } = withoutUnfinished(form.conditions, facts.known);
  const draft = draftOfForm({ ...facts, form: { ...form, conditions } });
  const place = ruleId === null ? {} : { ruleId };
  const asked = { rule: draft.body, ...place, days: DAYS, ...(isWhole ? {} : { newest: AT_ONCE }) };
  const call = { method: 'post', path: '/rules/preview', body: asked, signal } as const;
  const tried = await attempt(() => deps.callApi(principal, call));
  if (!tried.done) {
    const refused = { form: { ...form, conditions }, places: draft.conditionPlaces };
    return { done: false, refusal: refusalOfForm(aboutDraft(tried.refusal), refused) };
  }
  const mode = TEMPLATE_MODES.find((known) => known === form.layout) ?? 'compact';
  const subject = sampleSubject(viewer.tenant, form.eventType, mode, form.template || null, deps.clock());
  const answer = previewAnswer.parse(JSON.parse(JSON.stringify(tried.result)));
  const sample = renderMessage(subject, sampleNames());
  const view = previewView(answer, DAYS, sample, viewer.tenant);
  return { done: true, result: { ...view, notes: [...unfinishedWords(left), ...unknownWords(form.template), ...view.notes] } };
}

/** The conditions that say something already, and how many are left out because they do not yet. */
function withoutUnfinished(root: ConditionGroup, known: KnownFields): { conditions: ConditionGroup; left: number } {
  let left = 0;
  const kept = (node: ConditionNode): readonly ConditionNode[] => {
    if (node.kind === 'group') return [{ ...node, items: node.items.flatMap(kept) }];
    if (!isUnfinished(node, known)) return [node];
    left += 1;
    return [];
  };
  return { conditions: { ...root, items: root.items.flatMap(kept) }, left };
}

function isUnfinished({ field, op, values, raw }: ConditionLine, known: KnownFields): boolean {
  if (raw !== null) return false;
  if (field === '') return true;
  const { input } = inputOf(known, field, op);
  if (input.kind === 'none') return false;
  return input.kind === 'choices' ? values.length === 0 : values.every((value) => value.trim() === '');
}

function unfinishedWords(left: number): readonly string[] {
  if (left === 0) return [];
  return [left === 1 ? '1 unfinished condition is left out.' : `${left} unfinished conditions are left out.`];
}

function unknownWords(template: string): readonly string[] {
  return unknownNames(template).map((name) => `“{{ ${name} }}” is no known placeholder: nothing stands there.`);
}

/** What the page exchanges by itself, so that nothing typed meanwhile is touched. Who may only look sees the rule as it is saved. */
export async function previewPart(deps: SettingsDeps, visit: Visit): Promise<PartAnswer> {
  const ruleId = visit.form.amount('ruleId');
  const facts = visit.viewer.isAdmin
    ? { ...(await typedFacts(deps, visit)), ruleId }
    : await savedFacts(deps, visit, ruleId ?? 0);
  const tried = await tryPreview(deps, visit, facts);
  return {
    kind: 'part',
    content: tried.done
      ? RulePreview({ view: tried.result })
      : NoPreview({ refusal: tried.refusal, labels: conditionLabels(facts.form) }),
  };
}

async function typedFacts(deps: SettingsDeps, visit: Visit): Promise<Pick<FormFacts, 'form' | 'known'>> {
  const form = readRuleForm(visit.form);
  if (form === null) throw new AppError('bad_request', 'This is no form of a rule.', { status: 400 });
  const { known } = await loadKnown(deps, visit, form.eventType);
  return { form, known };
}
