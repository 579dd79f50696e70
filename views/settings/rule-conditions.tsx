/** The conditions of a rule: groups inside groups, each line a field, what is asked of it, and the value. */

import type { VNode } from 'preact';
import { described, Field, type Option } from '../form';
import { pageUrl } from '../shell';
import { PickMany, type PickGroup } from './pick-many';

export type ValueView =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'choices';
      readonly groups: readonly PickGroup[];
    }
  | { readonly kind: 'lines' }
  | {
      readonly kind: 'one';
      readonly type: 'text' | 'number' | 'time';
      readonly count: 1 | 2;
      readonly units: readonly Option[];
      readonly placeholder: string;
    };

export interface LineView {
  readonly kind: 'line';
  readonly path: string;
  /** "Condition 2", for screen readers. */
  readonly title: string;
  readonly field: string;
  readonly op: string;
  readonly ops: readonly Option[];
  readonly values: readonly string[];
  readonly unit: string;
  readonly value: ValueView;
  /** Kept as it is, since no field could show it: its words, and the condition itself. */
  readonly kept: { readonly words: string; readonly raw: string } | null;
  readonly error: string | undefined;
}

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

/** What asks for the conditions anew, with and without scripts. */
function asks(what: string) {
  return {
    name: 'ask',
    value: what,
    formaction: pageUrl('rules', 'form'),
    'hx-post': pageUrl('rules', 'conditions'),
    'hx-target': '#conditions',
    'hx-swap': 'outerHTML',
  };
}

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
            <li>{item.kind === 'group' ? <Group group={item} view={view} /> : <Line line={item} view={view} />}</li>
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

function idOf(what: string, path: string): string {
  return `${what}-${path.replaceAll('.', '-')}`;
}

const ON_CHANGE = {
  'hx-post': pageUrl('rules', 'conditions'),
  'hx-trigger': 'change',
  'hx-target': '#conditions',
  'hx-swap': 'outerHTML',
  'hx-sync': 'this:replace',
};

function Line({ line, view }: { readonly line: LineView; readonly view: ConditionsView }): VNode {
  const { path, title, field, op, ops, kept, error } = line;
  const errorId = idOf('error', path);
  const described: Record<string, string> = error === undefined ? {} : { 'aria-describedby': errorId, 'aria-invalid': 'true' };
  return (
    <div class="condition">
      <input type="hidden" name="node" value={path} />
      {kept === null ? (
        <>
          <select
            id={idOf('field', path)}
            name={`field:${path}`}
            aria-label={`Field of ${title.toLowerCase()}`}
            {...described}
            {...ON_CHANGE}
          >
            <option value="">Choose a field</option>
            {view.fields.map(({ label, options }) => (
              <optgroup label={label}>
                {options.map((option) => (
                  <option value={option.value} selected={option.value === field}>
                    {option.label}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
          <select id={idOf('op', path)} name={`op:${path}`} aria-label={`What ${title.toLowerCase()} asks`} {...ON_CHANGE}>
            {ops.map((option) => (
              <option value={option.value} selected={option.value === op}>
                {option.label}
              </option>
            ))}
          </select>
          <Value line={line} />
        </>
      ) : (
        <p class="kept">
          {kept.words}
          <input type="hidden" name={`field:${path}`} value={field} />
          <input type="hidden" name={`op:${path}`} value={op} />
          <input type="hidden" name={`raw:${path}`} value={kept.raw} />
        </p>
      )}
      <button
        id={idOf('remove', path)}
        class="secondary small"
        aria-label={`Remove ${title.toLowerCase()}`}
        {...asks(`remove:${path}`)}
      >
        Remove
      </button>
      <noscript>
        <button class="secondary small" {...asks('')}>
          Show its values
        </button>
      </noscript>
      {error !== undefined && (
        <p class="field-error" id={errorId}>
          {error}
        </p>
      )}
    </div>
  );
}

const INPUT_OF: Readonly<Record<'text' | 'number' | 'time', Record<string, string>>> = {
  text: { type: 'text' },
  number: { type: 'text', inputmode: 'decimal' },
  time: { type: 'time' },
};

function Value({ line: { path, title, values, unit, value } }: { readonly line: LineView }): VNode | null {
  const name = `value:${path}`;
  const label = `Compared with, ${title.toLowerCase()}`;
  switch (value.kind) {
    case 'none':
      return null;
    case 'choices':
      return <PickMany id={idOf('value', path)} label={label} isLabelHidden name={name} chosen={values} groups={value.groups} />;
    case 'lines':
      return (
        <textarea id={idOf('value', path)} name={name} rows={2} placeholder="one on each line" aria-label={label}>
          {values.join('\n')}
        </textarea>
      );
    case 'one':
      return (
        <>
          {Array.from({ length: value.count }, (_, at) => (
            <input
              id={idOf(at === 0 ? 'value' : 'until', path)}
              name={name}
              {...INPUT_OF[value.type]}
              value={values[at] ?? ''}
              placeholder={value.placeholder}
              aria-label={at === 0 ? label : `And, ${title.toLowerCase()}`}
              autocomplete="off"
            />
          ))}
          {value.units.length > 0 && (
            <select id={idOf('unit', path)} name={`unit:${path}`} aria-label={`Counted in, ${title.toLowerCase()}`}>
              {value.units.map((option) => (
                <option value={option.value} selected={option.value === unit}>
                  {option.label}
                </option>
              ))}
            </select>
          )}
        </>
      );
  }
}
