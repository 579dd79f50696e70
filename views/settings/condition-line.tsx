/** One condition of a rule: a field, what is asked of it, and the value to compare with. */

import type { VNode } from 'preact';
import type { Option } from '../form';
import { asks, idOf, ON_CHANGE } from './condition-requests';
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

/** `fields` are all that can be asked for, by their groups. */
export function ConditionLine({
  line,
  fields,
}: {
  readonly line: LineView;
  readonly fields: readonly { readonly label: string; readonly options: readonly Option[] }[];
}): VNode {
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
            {fields.map(({ label, options }) => (
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
