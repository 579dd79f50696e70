/** The form of a rule, both ways: from a rule, a preset or what was typed to fields, and from fields to the API's body. Pure. */

import type { RuleFields } from '../../views/settings/rule-view';
import { digestSchema, type RuleFilters, TEMPLATE_MODES } from '../core/rule';
import { EVENT_TYPES, kindsKnownFor, recordEntityOf, type EventType } from '../core/transition';
import type { Preset } from '../rules/presets';
import type { KnownFields } from '../rules/field-catalogue';
import type { StoredRule } from '../rules/rule.store';
import {
  conditionsOfForm,
  conditionsToForm,
  NEW_LINE,
  NO_CONDITIONS,
  readConditions,
  takeLabels,
  type ConditionGroup,
  type WrittenConditions,
} from './condition-form';
import type { FormValues } from './form-values';

/** Everything as text, as it stands in the fields. */
export interface RuleForm extends RuleFields {
  readonly eventType: EventType;
  /** But those on labels that have a list of their own. */
  readonly conditions: ConditionGroup;
}

/** What a rule on an event may ask for: filters that could never hold are not offered. */
export type FilterGroup = 'place' | 'from' | 'value' | 'crossing' | 'fields' | 'kinds';

export function filterGroupsOf(eventType: EventType): readonly FilterGroup[] {
  const entity = recordEntityOf(eventType);
  return [
    ...(entity === 'deal' ? (['place'] as const) : []),
    ...(eventType === 'deal.stage_changed' ? (['from'] as const) : []),
    ...(entity === 'deal' || entity === 'lead' ? (['value'] as const) : []),
    ...(eventType === 'deal.value_changed' ? (['crossing'] as const) : []),
    ...(eventType === 'deal.field_changed' ? (['fields'] as const) : []),
    ...(kindsKnownFor(eventType).length > 0 ? (['kinds'] as const) : []),
  ];
}

export function emptyForm(currency: string, space: string): RuleForm {
  return {
    ...{ name: '', eventType: 'deal.won', pipelines: [], stages: [], fromStages: [], owners: [], minValue: '', currency },
    ...{
      crossing: false,
      kinds: [],
      fields: [],
      labels: [],
      conditions: NO_CONDITIONS,
      space,
      otherSpaces: [],
      layout: 'compact',
    },
    ...{ template: '', wait: '', stopAfter: false, timing: 'at once', digestAt: '09:00', digestDay: 'fri', enabled: true },
  };
}

export function formOfPreset(preset: Preset, known: KnownFields, currency: string, space: string): RuleForm {
  const { name, eventType, filters, templateMode, settleMs } = preset;
  return {
    ...emptyForm(currency, space),
    name,
    eventType,
    layout: templateMode,
    wait: seconds(settleMs),
    ...filterFields(filters, currency, known),
  };
}

export function formOfRule(rule: StoredRule, known: KnownFields, currency: string): RuleForm {
  const [space, ...otherSpaces] = rule.targetWebhookIds.map(String);
  const { digest } = rule;
  return {
    ...emptyForm(currency, space ?? ''),
    ...{ name: rule.name, eventType: rule.eventType, otherSpaces, layout: rule.templateMode, template: rule.template ?? '' },
    ...{ wait: seconds(rule.settleMs), stopAfter: rule.stopAfter, enabled: rule.enabled },
    ...filterFields(rule.filters, currency, known),
    timing: rule.urgent ? 'urgent' : (digest?.every ?? 'at once'),
    ...(digest === null ? {} : { digestAt: digest.at, digestDay: digest.day ?? 'mon' }),
  };
}

function filterFields(filters: RuleFilters, currency: string, known: KnownFields) {
  const { labels, rest } = takeLabels(conditionsToForm(filters.conditions, known));
  return {
    pipelines: (filters.pipelineIds ?? []).map(String),
    stages: (filters.stageIds ?? []).map(String),
    fromStages: (filters.fromStageIds ?? []).map(String),
    owners: (filters.ownerIds ?? []).map(String),
    minValue: filters.minValue === undefined ? '' : String(filters.minValue),
    // A value without a currency is compared in the record's own.
    currency: filters.minValue === undefined ? (filters.currency ?? currency) : (filters.currency ?? ''),
    crossing: filters.crossing ?? false,
    kinds: filters.kinds ?? [],
    fields: (filters.fields ?? []).filter((field) => field !== ''),
    ...{ labels, conditions: withCurrency(filters, rest) },
  };
}

/** A currency without a minimum is a filter of its own, which the form shows as a condition. */
function withCurrency({ minValue, currency }: RuleFilters, conditions: ConditionGroup): ConditionGroup {
  if (minValue !== undefined || currency === undefined) return conditions;
  const line = { ...NEW_LINE, field: 'currency', op: 'is', values: [currency] };
  if (conditions.join === 'all') return { ...conditions, items: [...conditions.items, line] };
  return { ...NO_CONDITIONS, items: [conditions, line] };
}

function seconds(settleMs: number | null): string {
  return settleMs === null ? '' : String(settleMs / 1000);
}

/** What was filled in; null when it is no form of a rule. */
export function readRuleForm(form: FormValues): RuleForm | null {
  const eventType = EVENT_TYPES.find((known) => known === form.text('eventType'));
  if (eventType === undefined) return null;
  return {
    ...{ name: form.text('name'), eventType, pipelines: form.all('pipelines'), stages: form.all('stages') },
    ...{ fromStages: form.all('fromStages'), owners: form.all('owners'), minValue: form.text('minValue') },
    ...{ currency: form.text('currency'), crossing: form.has('crossing'), kinds: form.all(`kinds:${eventType}`) },
    ...{ fields: form.all('fields'), labels: form.all('labels'), conditions: readConditions(form), space: form.text('space') },
    ...{ otherSpaces: form.all('otherSpaces'), layout: form.text('layout'), template: form.text('template') },
    ...{ wait: form.text('wait'), stopAfter: form.has('stopAfter'), timing: form.text('timing') },
    ...{ digestAt: form.text('digestAt'), digestDay: form.text('digestDay'), enabled: form.has('enabled') },
  };
}

export interface WrittenRule {
  /** As `POST /rules` takes it; whether it is right, the API says. */
  readonly body: object;
  readonly conditionPlaces: WrittenConditions['places'];
}

/** The rule that the fields describe; filters that make no sense for its event are left out. */
export function bodyOfForm(form: RuleForm, known: KnownFields): WrittenRule {
  const conditions = conditionsOfForm(form.conditions, known, form.labels);
  const has = new Set(filterGroupsOf(form.eventType));
  const minValue = has.has('value') ? amount(form.minValue) : undefined;
  const filters = {
    ...(has.has('place') ? { ...ids('pipelineIds', form.pipelines), ...ids('stageIds', form.stages) } : {}),
    ...(has.has('from') ? ids('fromStageIds', form.fromStages) : {}),
    ...ids('ownerIds', form.owners),
    ...(minValue === undefined ? {} : { minValue, ...(form.currency === '' ? {} : { currency: form.currency }) }),
    ...(has.has('crossing') && form.crossing ? { crossing: true } : {}),
    ...kindsOf(form),
    ...(has.has('fields') ? { fields: form.fields } : {}),
    ...(conditions.tree === undefined ? {} : { conditions: conditions.tree }),
  };
  const waitSeconds = amount(form.wait);
  const body = {
    ...{ name: form.name, eventType: form.eventType, filters },
    targetWebhookIds: [...new Set([form.space, ...form.otherSpaces])].filter((id) => id !== '').map(number),
    templateMode: TEMPLATE_MODES.find((mode) => mode === form.layout) ?? form.layout,
    template: form.template === '' ? null : form.template,
    settleMs: waitSeconds === undefined ? null : typeof waitSeconds === 'number' ? Math.round(waitSeconds * 1000) : waitSeconds,
    ...{ stopAfter: form.stopAfter, urgent: form.timing === 'urgent', digest: digestOf(form), enabled: form.enabled },
  };
  return { body, conditionPlaces: conditions.places };
}

/** Every kind ticked is the same as none. */
function kindsOf({ eventType, kinds }: RuleForm): object {
  const known = kindsKnownFor(eventType);
  const chosen = kinds.filter((kind) => known.some((one) => one === kind));
  return chosen.length === 0 || chosen.length === known.length ? {} : { kinds: chosen };
}

function digestOf({ timing, digestAt, digestDay }: RuleForm): object | null {
  const every = digestSchema.shape.every.safeParse(timing);
  if (!every.success) return null;
  return { every: every.data, at: digestAt, ...(every.data === 'week' ? { day: digestDay } : {}) };
}

function ids(filter: string, values: readonly string[]): Record<string, readonly unknown[]> {
  return values.length === 0 ? {} : { [filter]: values.map(number) };
}

function number(text: string): number | string {
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** "10 000.50"; what is no number stays text, for the API to refuse. */
function amount(text: string): number | string | undefined {
  const plain = text.replaceAll(/[\s'_]/g, '').replace(/,(?=\d{3}(\D|$))/g, '');
  if (plain === '') return undefined;
  return Number.isNaN(Number(plain)) ? text : Number(plain);
}
