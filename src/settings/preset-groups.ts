/** The presets under the headings where people look for them. Pure. */

import type { EventType } from '../core/transition';
import type { Preset } from '../rules/presets';

export interface PresetGroup {
  readonly label: string;
  readonly presets: readonly Preset[];
}

const OTHERS = 'Activities and notes';

/** In the order of the page; what is listed nowhere is among the last. */
const EVENTS: readonly (readonly [label: string, eventTypes: readonly EventType[]])[] = [
  ['Wins and losses', ['deal.won', 'deal.lost', 'deal.reopened']],
  [
    'Pipeline',
    ['deal.created', 'deal.stage_changed', 'deal.pipeline_changed', 'deal.owner_changed', 'deal.merged', 'deal.deleted'],
  ],
  ['Value, dates and fields', ['deal.value_changed', 'deal.close_date_changed', 'deal.label_added', 'deal.field_changed']],
  ['Leads', ['lead.created', 'lead.converted', 'lead.archived']],
];

/** Every preset in one group; groups without any are left out. */
export function presetGroups(presets: readonly Preset[]): readonly PresetGroup[] {
  const labelOf = ({ eventType }: Preset) => EVENTS.find(([, types]) => types.includes(eventType))?.[0] ?? OTHERS;
  return [...EVENTS.map(([label]) => label), OTHERS]
    .map((label) => ({ label, presets: presets.filter((preset) => labelOf(preset) === label) }))
    .filter((group) => group.presets.length > 0);
}
