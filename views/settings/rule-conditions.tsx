/** The conditions of a rule: labels, custom fields to choose from, and groups of lines inside groups. */

import type { VNode } from 'preact';
import { described, Field, type Option } from '../form';
import { ConditionLine, type LineView } from './condition-line';
import { asks, idOf, ON_CHANGE } from './condition-requests';
import { PickMany, type PickGroup } from './pick-many';

export interface GroupView {
  readonly kind: 'group';
  readonly path: string;
  readonly title: string;
  readonly join: string;
  readonly items: readonly (LineView | GroupView)[];
}

export interface ConditionsView {
  readonly root: GroupView;
  readonly fields: readonly { readonly label: string; readonly options: readonly Option[] }[];
  readonly error: string | undefined;
  /** Labels of this kind of record; null where it has none. */
  readonly labels: {
    readonly chosen: readonly string[];
    readonly groups: readonly PickGroup[];
    readonly error: string | undefined;
  } | null;
  readonly customFields: readonly Option[];
}

/** Exchanged as a whole when a line or a field changes. */
export function Conditions({ view }: { readonly view: ConditionsView }): VNode {
  const { root, error, labels, customFields } = view;
  return (
    <div id="conditions" class="conditions" tabIndex={-1}>
      <div class="columns">
        {labels !== null && <PickMany id="rule-labels" label="Labels" name="labels" {...labels} />}
        {customFields.length > 0 && <CustomField fields={customFields} />}
      </div>
      <h3>Conditions</h3>
      {error !== undefined && <p class="field-error">{error}</p>}
      <Group group={root} view={view} />
    </div>
  );
}

/** Custom fields are many, so one that is chosen becomes a condition below, with its own values to choose from. */
function CustomField({ fields }: { readonly fields: readonly Option[] }): VNode {
  const hint = 'Adds a condition below.';
  return (
    <Field id="rule-custom-field" label="Custom field" hint={hint}>
      <select
        id="rule-custom-field"
        name="addField"
        {...described({ id: 'rule-custom-field', hint })}
        {...ON_CHANGE}
        hx-vals='{"ask": "field:r"}'
      >
        <option value="">Add a custom field</option>
        {fields.map(({ value, label }) => (
          <option value={value}>{label}</option>
        ))}
      </select>
      <noscript>
        <button class="secondary small" {...asks('field:r')}>
          Add
        </button>
      </noscript>
    </Field>
  );
}

const JOINS = [
  { value: 'all', label: 'All of these' },
  { value: 'any', label: 'Any of these' },
  { value: 'not', label: 'None of these' },
];

function Group({
  group: { path, title, join, items },
  view,
}: {
  readonly group: GroupView;
  readonly view: ConditionsView;
}): VNode {
  const isRoot = !path.includes('.');
  return (
    <fieldset class="bare condition-group">
      <legend class="visually-hidden">{title}</legend>
      <input type="hidden" name="node" value={path} />
      {items.length === 0 ? (
        <input type="hidden" name={`join:${path}`} value={join} />
      ) : (
        <select id={idOf('join', path)} name={`join:${path}`} aria-label={`How ${title.toLowerCase()} counts`}>
          {JOINS.map(({ value, label }) => (
            <option value={value} selected={value === join}>
              {label}
            </option>
          ))}
        </select>
      )}
      {items.length > 0 && (
        <ul class="plain">
          {items.map((item) => (
            <li>
              {item.kind === 'group' ? <Group group={item} view={view} /> : <ConditionLine line={item} fields={view.fields} />}
            </li>
          ))}
        </ul>
      )}
      <div class="actions">
        <button id={idOf('add', path)} class="secondary small" data-focus-new="field-" {...asks(`line:${path}`)}>
          Add condition
        </button>
        <button id={idOf('add-group', path)} class="secondary small" {...asks(`group:${path}`)}>
          Add group
        </button>
        {!isRoot && (
          <button
            id={idOf('remove', path)}
            class="secondary small"
            aria-label={`Remove ${title.toLowerCase()}`}
            {...asks(`remove:${path}`)}
          >
            Remove group
          </button>
        )}
      </div>
    </fieldset>
  );
}
