/** The editor of a rule: from nothing, from a preset, of one that is there; its preview and its test. */

import { Conditions } from '../../views/settings/rule-conditions';
import { RuleEditor } from '../../views/settings/rule-form';
import { Presets } from '../../views/settings/rule-presets';
import { AppError } from '../core/errors';
import { presetGroups } from './preset-groups';
import { presetsFor } from '../rules/presets';
import { attempt } from './attempt';
import { changeConditions, tidied } from './condition-form';
import { labelChoices } from './condition-value';
import { sendTestCard } from './connect-space';
import { fillFromPreset } from './preset-answers';
import { formFacts, loadKnown, savedFacts } from './rule-facts';
import { bodyOfForm, emptyForm, formOfPreset, readRuleForm, type RuleForm } from './rule-form';
import { conditionsView, ruleFormView, type FormFacts } from './rule-form-view';
import { unanswered } from './rule-refusal';
import { aboutDraft, draftOfForm, previewPart, tryPreview } from './rule-preview';
import { rulesPage } from './rules.routes';
import type { SettingsDeps } from './settings-deps';
import type { PageAnswer, PageRoute, PartAnswer, Visit } from './visit';

export function ruleEditorPages(deps: SettingsDeps): PageRoute[] {
  const page = (
    method: PageRoute['method'],
    path: string,
    handle: (deps: SettingsDeps, visit: Visit) => Promise<PageAnswer | PartAnswer>,
    access: PageRoute['access'] = 'change',
  ): PageRoute => ({ method, path: `rules/${path}`, access, handle: (visit) => handle(deps, visit) });
  return [
    page('get', 'presets', presets, 'see'),
    page('get', 'new', open),
    page('post', 'new', save),
    page('post', 'form', reshape),
    page('post', 'conditions', reshapeConditions),
    page('post', 'preview', preview, 'see'),
    page('post', 'preview/part', previewPart, 'see'),
    page('post', 'test', test),
    page('get', ':id', edit, 'see'),
    page('post', ':id', save),
  ];
}

function presets(_: SettingsDeps, { viewer }: Visit): Promise<PageAnswer> {
  const content = Presets({ groups: presetGroups(presetsFor(viewer.tenant.baseCurrency)), canChange: viewer.isAdmin });
  return Promise.resolve({ kind: 'page', page: 'rules', title: 'Presets', content });
}

async function open(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const { baseCurrency } = visit.viewer.tenant;
  const preset = presetsFor(baseCurrency).find(({ key }) => key === visit.form.text('preset'));
  const facts = await formFacts(deps, visit, preset?.eventType ?? 'deal.won');
  const space = String(facts.destinations[0]?.id ?? '');
  const form = preset === undefined ? emptyForm(baseCurrency, space) : formOfPreset(preset, facts.known, baseCurrency, space);
  return shown({ ...facts, form, preset: preset ?? null });
}

async function edit(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  return shown(await savedFacts(deps, visit, visit.id));
}

/** What was typed, with what is known of the company. */
async function typed(deps: SettingsDeps, visit: Visit): Promise<FormFacts> {
  const { form: values, viewer } = visit;
  const read = typedForm(visit);
  const facts = await formFacts(deps, visit, read.eventType);
  const preset = presetsFor(viewer.tenant.baseCurrency).find(({ key }) => key === values.text('preset')) ?? null;
  const ruleId = values.amount('ruleId');
  return { ...facts, ruleId, preset, form: preset === null ? read : fillFromPreset(read, preset) };
}

function typedForm({ form }: Visit): RuleForm {
  const read = readRuleForm(form);
  if (read === null) throw new AppError('bad_request', 'This is no form of a rule.', { status: 400 });
  return read;
}

async function save(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const facts = await typed(deps, visit);
  const { body, conditionPlaces } = bodyOfForm(facts.form, facts.known);
  const call =
    visit.id === 0
      ? ({ method: 'post', path: '/rules', body } as const)
      : ({ method: 'put', path: '/rules/:id', id: visit.id, body } as const);
  const ruleId = visit.id === 0 ? null : visit.id;
  const open = unanswered(facts.form, facts.preset);
  if (open !== null) return shown({ ...facts, ruleId, refusal: open });
  const tried = await attempt(() => deps.callApi(visit.principal, call));
  if (tried.done) return await rulesPage(deps, visit, { message: `${facts.form.name} is saved` });
  return shown({ ...facts, ruleId, refusal: tried.refusal, places: conditionPlaces });
}

/** Without scripts the whole page comes again with the line that was asked for. */
async function reshape(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const facts = await typed(deps, visit);
  return shown({ ...facts, form: { ...facts.form, ...reshaped(facts, visit) } });
}

async function reshapeConditions(deps: SettingsDeps, visit: Visit): Promise<PartAnswer> {
  const form = typedForm(visit);
  const { known } = await loadKnown(deps, visit, form.eventType);
  return { kind: 'part', content: Conditions({ view: conditionsView(reshaped({ form, known }, visit), known) }) };
}

function reshaped({ form, known }: Pick<FormFacts, 'form' | 'known'>, visit: Visit): Pick<RuleForm, 'conditions' | 'labels'> {
  const changed = changeConditions(form.conditions, visit.form.text('ask'), visit.form.text('addField'));
  const labels = new Set(labelChoices(known).map(({ id }) => id));
  return { conditions: tidied(changed, known), labels: form.labels.filter((id) => labels.has(id)) };
}

async function preview(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const facts = visit.viewer.isAdmin ? await typed(deps, visit) : await savedFacts(deps, visit, visit.form.amount('ruleId') ?? 0);
  const tried = await tryPreview(deps, visit, facts);
  if (tried.done) return shown({ ...facts, preview: tried.result });
  return shown({ ...facts, refusal: tried.refusal, places: bodyOfForm(facts.form, facts.known).conditionPlaces });
}

/** What is filled in is tried, saved or not. */
async function test(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const facts = await typed(deps, visit);
  const { body, conditionPlaces } = draftOfForm(facts);
  const tried = await attempt(() => sendTestCard(deps, visit, { rule: body }));
  if (tried.done) return shown({ ...facts, test: tried.result });
  return shown({ ...facts, refusal: aboutDraft(tried.refusal), places: conditionPlaces });
}

function shown(facts: FormFacts): PageAnswer {
  const view = ruleFormView(facts);
  const status = facts.refusal === null ? 200 : 422;
  return { kind: 'page', page: 'rules', title: view.title, content: RuleEditor({ view }), status };
}
