/** Ready-made rules as data: what a sales team most often wants to hear, guarded against what makes such rules a nuisance. Pure. */

import type { ConditionTree } from '../core/condition';
import type { RuleFilters, TemplateMode } from '../core/rule';
import type { EventType } from '../core/transition';

/** What kind of answer a question takes, so that a page can offer the choices by name. */
export type AskKind =
  'stages' | 'pipelines' | 'labels' | 'activityTypes' | 'amount' | 'percent' | 'days' | 'dealField' | 'fieldValue';

/** Something that only the user knows. */
export interface Ask {
  /** Where the answer goes in the rule, dot-separated; what stands there is the suggestion, an empty list or text is none. */
  readonly path: string;
  readonly question: string;
  readonly kind: AskKind;
  /** The answer is that of another path, so nobody needs to be asked twice. */
  readonly sameAs?: string;
}

export interface Preset {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly eventType: EventType;
  readonly filters: PresetFilters;
  readonly templateMode: TemplateMode;
  /** Null: the installation's. Longer where the rest of the story comes seconds later. */
  readonly settleMs: number | null;
  /** Part of the set that a new company is offered. */
  readonly defaultOn: boolean;
  readonly asks: readonly Ask[];
}

export type PresetFilters = Omit<RuleFilters, 'conditions'> & { readonly conditions?: ConditionTree };

const OPEN: ConditionTree = { field: 'status', op: 'is', value: 'open' };
const NOT_ARCHIVED: ConditionTree = { field: 'is_archived', op: 'isNot', value: true };
/** Clean-ups and hand-overs by list come by the hundred and are no news of one deal. */
const NOT_IN_BULK: ConditionTree = { field: 'is_bulk_edit', op: 'isNot', value: true };
/** Imports write wins of last year: they count as wins, but nobody wants to be told. */
const WON_LATELY: ConditionTree = {
  any: [
    { field: 'won_time', op: 'isEmpty' },
    { field: 'won_time', op: 'after', value: { days: -3 } },
  ],
};

/** Every preset, with amounts in the company's base currency (ISO 4217). */
export function presetsFor(baseCurrency: string): readonly Preset[] {
  return [...statusPresets(baseCurrency), ...PLACE_PRESETS, ...dealPresets(baseCurrency), ...OTHER_PRESETS];
}

function statusPresets(currency: string): readonly Preset[] {
  return [
    {
      key: 'deal-won',
      name: 'Deal won',
      description:
        'Every win, at once; a second win of the same deal says so. Later edits, and wins of more than 3 days ago, stay silent.',
      eventType: 'deal.won',
      filters: { conditions: { all: [NOT_ARCHIVED, WON_LATELY] } },
      ...{ templateMode: 'detailed', settleMs: null, defaultOn: true, asks: [] },
    },
    {
      key: 'big-deal-won',
      name: 'Big deal won',
      description: 'Wins from an amount on, in any currency. Waits 45 seconds, as the value is often set right after the win.',
      eventType: 'deal.won',
      filters: { minValue: 10_000, currency, conditions: { all: [NOT_ARCHIVED, WON_LATELY] } },
      ...{ templateMode: 'detailed', settleMs: 45_000, defaultOn: true },
      asks: [{ path: 'filters.minValue', question: `What counts as a big deal in ${currency}?`, kind: 'amount' }],
    },
    {
      key: 'big-after-win',
      name: 'Won deal becomes big',
      description: 'The value of a won deal rises above an amount later on. What is set within 45 seconds belongs to the win.',
      eventType: 'deal.value_changed',
      filters: {
        ...{ minValue: 10_000, currency, crossing: true },
        conditions: {
          all: [{ field: 'status', op: 'is', value: 'won' }, { not: [{ field: 'status', op: 'changed' }] }, NOT_ARCHIVED],
        },
      },
      ...{ templateMode: 'detailed', settleMs: 45_000, defaultOn: false },
      asks: [{ path: 'filters.minValue', question: `What counts as a big deal in ${currency}?`, kind: 'amount' }],
    },
    {
      key: 'deal-lost',
      name: 'Deal lost',
      description: 'Lost deals with their reason, for which it waits a minute. Deleted deals and bulk edits stay silent.',
      eventType: 'deal.lost',
      filters: { conditions: { all: [NOT_ARCHIVED, NOT_IN_BULK] } },
      ...{ templateMode: 'compact', settleMs: 60_000, defaultOn: true, asks: [] },
    },
    {
      key: 'big-deal-lost',
      name: 'Big deal lost',
      description: 'Lost deals from an amount on, in any currency, for a space of their own.',
      eventType: 'deal.lost',
      filters: { minValue: 10_000, currency, conditions: { all: [NOT_ARCHIVED] } },
      ...{ templateMode: 'detailed', settleMs: 60_000, defaultOn: false },
      asks: [{ path: 'filters.minValue', question: `What counts as a big deal in ${currency}?`, kind: 'amount' }],
    },
    {
      key: 'deal-reopened',
      name: 'Deal reopened',
      description: 'A won or lost deal is open again. What is undone within half a minute stays silent.',
      eventType: 'deal.reopened',
      filters: { conditions: { all: [NOT_ARCHIVED] } },
      ...{ templateMode: 'compact', settleMs: 30_000, defaultOn: true, asks: [] },
    },
    {
      key: 'new-deal',
      name: 'New deal',
      description:
        'New open deals, made by a person or an automation. Converted leads, merges and imported wins have rules of their own.',
      eventType: 'deal.created',
      filters: { conditions: { all: [OPEN, NOT_ARCHIVED] } },
      ...{ templateMode: 'compact', settleMs: 10_000, defaultOn: true, asks: [] },
    },
  ];
}

const PLACE_PRESETS: readonly Preset[] = [
  {
    key: 'key-stage',
    name: 'Entered a key stage',
    description: 'An open deal enters one of the stages you choose. Moves from one of them to another stay silent.',
    eventType: 'deal.stage_changed',
    filters: { stageIds: [], conditions: { all: [OPEN, { not: [{ field: 'stage_id', op: 'changedFrom', value: [] }] }] } },
    ...{ templateMode: 'compact', settleMs: null, defaultOn: true },
    asks: [
      { path: 'filters.stageIds', question: 'Which stages matter (for example Proposal)?', kind: 'stages' },
      {
        path: 'filters.conditions.all.1.not.0.value',
        question: 'Moves from which stages should not be posted?',
        kind: 'stages',
        sameAs: 'filters.stageIds',
      },
    ],
  },
  {
    key: 'stage-changed',
    name: 'Stage changed',
    description:
      'Every move of an open deal within its pipeline; several quick steps are one message. That is a lot: a key stage is often enough.',
    eventType: 'deal.stage_changed',
    filters: { conditions: { all: [OPEN] } },
    ...{ templateMode: 'compact', settleMs: 10_000, defaultOn: false, asks: [] },
  },
  directionPreset('stage-back', 'Moved back a stage', 'back', 'An open deal falls back to an earlier stage.'),
  directionPreset('stage-skipped', 'Stages skipped', 'skipped', 'An open deal moves forward past at least one stage.'),
  {
    key: 'moved-pipeline',
    name: 'Moved to another pipeline',
    description: 'A deal changes its pipeline; its new stage stands in the same message.',
    eventType: 'deal.pipeline_changed',
    filters: { pipelineIds: [], conditions: { all: [NOT_ARCHIVED] } },
    ...{ templateMode: 'compact', settleMs: null, defaultOn: false },
    asks: [{ path: 'filters.pipelineIds', question: 'Into which pipelines (none: any)?', kind: 'pipelines' }],
  },
];

function directionPreset(key: string, name: string, kind: 'back' | 'skipped', what: string): Preset {
  return {
    key,
    name,
    description: `${what} Several quick steps are one message; what is undone within half a minute stays silent.`,
    eventType: 'deal.stage_changed',
    filters: { kinds: [kind], conditions: { all: [OPEN] } },
    ...{ templateMode: 'compact', settleMs: 30_000, defaultOn: false, asks: [] },
  };
}

function dealPresets(currency: string): readonly Preset[] {
  const amount = { amount: 1000, currency };
  const percent = { percent: 25 };
  const by = (op: 'increasedBy' | 'decreasedBy'): ConditionTree => ({
    all: [
      { field: 'value', op, value: amount },
      { field: 'value', op, value: percent },
    ],
  });
  const at = 'filters.conditions.all.2.any';
  return [
    {
      key: 'deal-assigned',
      name: 'Deal assigned',
      description: 'An open deal has a new owner. Several within half a minute are one message; bulk edits stay silent.',
      eventType: 'deal.owner_changed',
      filters: { conditions: { all: [OPEN, NOT_IN_BULK] } },
      ...{ templateMode: 'compact', settleMs: 30_000, defaultOn: true, asks: [] },
    },
    {
      key: 'deal-became-big',
      name: 'Deal became big',
      description: 'The value of an open deal rises above an amount, in any currency. Edits above it stay silent.',
      eventType: 'deal.value_changed',
      filters: { minValue: 10_000, currency, crossing: true, conditions: { all: [OPEN] } },
      ...{ templateMode: 'compact', settleMs: 60_000, defaultOn: false },
      asks: [{ path: 'filters.minValue', question: `Which value in ${currency} is to be crossed?`, kind: 'amount' }],
    },
    {
      key: 'value-changed',
      name: 'Value changed a lot',
      description:
        'The value of an open deal rises or falls by an amount and a percentage at least. First values, and what is undone within a minute, stay silent.',
      eventType: 'deal.value_changed',
      filters: {
        conditions: {
          all: [
            OPEN,
            { not: [{ field: 'value', op: 'changedFrom', value: null }] },
            { any: [by('increasedBy'), by('decreasedBy')] },
          ],
        },
      },
      ...{ templateMode: 'compact', settleMs: 60_000, defaultOn: false },
      asks: [
        { path: `${at}.0.all.0.value.amount`, question: `By how much in ${currency} at least?`, kind: 'amount' },
        { path: `${at}.0.all.1.value.percent`, question: 'By how many percent at least?', kind: 'percent' },
        { path: `${at}.1.all.0.value.amount`, question: 'And down?', kind: 'amount', sameAs: `${at}.0.all.0.value.amount` },
        { path: `${at}.1.all.1.value.percent`, question: 'And down?', kind: 'percent', sameAs: `${at}.0.all.1.value.percent` },
      ],
    },
    closeDatePreset('close-date-slipped', 'Close date slipped', ['slipped', 'increasedBy'], 'later', true),
    closeDatePreset('close-date-pulled-in', 'Close date pulled in', ['pulledIn', 'decreasedBy'], 'sooner', false),
    {
      key: 'label-added',
      name: 'Label “hot” added',
      description: 'A deal gets one of the labels you choose. Removed labels stay silent.',
      eventType: 'deal.label_added',
      filters: { conditions: { all: [{ field: 'label_ids', op: 'changedTo', value: [] }] } },
      ...{ templateMode: 'compact', settleMs: null, defaultOn: false },
      asks: [{ path: 'filters.conditions.all.0.value', question: 'Which labels?', kind: 'labels' }],
    },
    {
      key: 'field-became',
      name: 'Field set to a value',
      description: 'A field of a deal, standard or custom, gets the value you choose.',
      eventType: 'deal.field_changed',
      filters: { fields: [], conditions: { all: [{ field: '', op: 'changedTo', value: '' }] } },
      ...{ templateMode: 'compact', settleMs: null, defaultOn: false },
      asks: [
        { path: 'filters.fields.0', question: 'Which field?', kind: 'dealField' },
        { path: 'filters.conditions.all.0.field', question: 'Which field?', kind: 'dealField', sameAs: 'filters.fields.0' },
        { path: 'filters.conditions.all.0.value', question: 'Which value?', kind: 'fieldValue' },
      ],
    },
    {
      key: 'deal-deleted',
      name: 'Deal deleted',
      description: 'Deals that were deleted, but not those that were merged.',
      eventType: 'deal.deleted',
      ...{ filters: {}, templateMode: 'compact', settleMs: null, defaultOn: false, asks: [] },
    },
  ];
}

function closeDatePreset(
  key: string,
  name: string,
  [kind, op]: readonly ['slipped', 'increasedBy'] | readonly ['pulledIn', 'decreasedBy'],
  direction: 'later' | 'sooner',
  defaultOn: boolean,
): Preset {
  return {
    key,
    name,
    description: `The expected close date of an open deal moves ${direction} by the days you choose. First and cleared dates, and bulk edits, stay silent.`,
    eventType: 'deal.close_date_changed',
    filters: {
      kinds: [kind],
      conditions: { all: [OPEN, NOT_IN_BULK, { field: 'expected_close_date', op, value: { days: 7 } }] },
    },
    ...{ templateMode: 'compact', settleMs: 30_000, defaultOn },
    asks: [{ path: 'filters.conditions.all.2.value.days', question: `How many days ${direction} at least?`, kind: 'days' }],
  };
}

const NOT_PRIVATE: ConditionTree = { field: 'private', op: 'isNot', value: true };

const OTHER_PRESETS: readonly Preset[] = [
  {
    key: 'new-lead',
    name: 'New lead',
    description: 'New leads with their source. Archived ones stay silent.',
    eventType: 'lead.created',
    filters: { conditions: { all: [NOT_ARCHIVED] } },
    ...{ templateMode: 'compact', settleMs: null, defaultOn: true, asks: [] },
  },
  {
    key: 'lead-converted',
    name: 'Lead converted',
    description: 'A lead became a deal: one message instead of a deleted lead and a new deal.',
    eventType: 'lead.converted',
    ...{ filters: {}, templateMode: 'compact', settleMs: null, defaultOn: true, asks: [] },
  },
  activityPreset('meeting-booked', 'Meeting booked', 'activity.created', 'Activities of the types you choose are planned', [
    { field: 'done', op: 'isNot', value: true },
  ]),
  activityPreset(
    'meeting-put-off',
    'Meeting postponed',
    'activity.rescheduled',
    'Activities of the types you choose move to a later day',
    [],
    ['later'],
  ),
  activityPreset('activity-done', 'Activity done', 'activity.completed', 'Activities of the types you choose are done', []),
  {
    key: 'note-added',
    name: 'Note added to a deal',
    description: 'Notes on deals, with their text. Notes that are on no deal stay silent.',
    eventType: 'note.created',
    filters: { conditions: { all: [{ field: 'deal_id', op: 'isNotEmpty' }] } },
    ...{ templateMode: 'compact', settleMs: null, defaultOn: false, asks: [] },
  },
];

function activityPreset(
  key: string,
  name: string,
  eventType: 'activity.created' | 'activity.completed' | 'activity.rescheduled',
  what: string,
  more: readonly ConditionTree[],
  kinds?: RuleFilters['kinds'],
): Preset {
  return {
    key,
    name,
    description: `${what}. Private ones, and what is undone within 10 seconds, stay silent.`,
    eventType,
    filters: {
      ...(kinds && { kinds }),
      conditions: { all: [{ field: 'type', op: 'in', value: ['meeting'] }, NOT_PRIVATE, ...more] },
    },
    ...{ templateMode: 'compact', settleMs: 10_000, defaultOn: false },
    asks: [{ path: 'filters.conditions.all.0.value', question: 'Which types of activity?', kind: 'activityTypes' }],
  };
}
