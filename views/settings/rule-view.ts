/** What the editor of a rule shows: its fields as texts, and the lists that they are filled from. */

import type { Option, Refusal } from '../form';
import type { PickGroup } from './pick-many';
import type { ConditionsView } from './rule-conditions';
import type { RulePreviewView } from './rule-preview';
import type { TestView } from './test-result';

/** Everything that is filled in but the event and the conditions, as it stands in the fields. */
export interface RuleFields {
  readonly name: string;
  readonly pipelines: readonly string[];
  readonly stages: readonly string[];
  readonly fromStages: readonly string[];
  readonly owners: readonly string[];
  readonly minValue: string;
  readonly currency: string;
  readonly crossing: boolean;
  readonly kinds: readonly string[];
  readonly fields: readonly string[];
  /** One of them is enough. */
  readonly labels: readonly string[];
  readonly space: string;
  readonly otherSpaces: readonly string[];
  readonly layout: string;
  readonly template: string;
  /** Seconds; empty: the usual. */
  readonly wait: string;
  readonly stopAfter: boolean;
  /** at once | urgent | day | week */
  readonly timing: string;
  readonly digestAt: string;
  readonly digestDay: string;
  readonly enabled: boolean;
}

export interface EventOption extends Option {
  /** What kind of record it is about: "Deals". */
  readonly group: string;
  /** Which groups of fields make sense for it. */
  readonly has: readonly string[];
}

export interface KindsView {
  readonly eventType: string;
  readonly kinds: readonly Option[];
}

export interface RuleFormView {
  /** Null: a rule that is not saved yet. */
  readonly ruleId: number | null;
  readonly title: string;
  /** The preset that filled the form, with what it leaves to decide. */
  readonly preset: { readonly key: string; readonly description: string; readonly questions: readonly string[] } | null;
  /** Pipedrive could not be asked for its lists: what that means. */
  readonly listTrouble: string | null;
  readonly canChange: boolean;
  readonly values: RuleFields & { readonly eventType: string };
  readonly events: readonly EventOption[];
  readonly kinds: readonly KindsView[];
  readonly pipelines: readonly PickGroup[];
  readonly stages: readonly PickGroup[];
  readonly owners: readonly PickGroup[];
  readonly dealFields: readonly PickGroup[];
  readonly currencies: readonly Option[];
  readonly spaces: readonly Option[];
  readonly usualWait: string;
  readonly conditions: ConditionsView;
  /** What is shown from the start; null: the page asks for it by itself. */
  readonly preview: RulePreviewView | null;
  readonly test: TestView | null;
  readonly refusal: Refusal | null;
  /** By the path of what is refused of them. */
  readonly conditionLabels: Readonly<Record<string, { readonly id: string; readonly label: string }>>;
}
