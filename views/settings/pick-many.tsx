/** A list out of which any number is chosen. */

import type { VNode } from 'preact';
import { described, Field, type Option } from '../form';

export interface PickGroup {
  /** The pipeline of these stages; null for a plain list. */
  readonly label: string | null;
  readonly options: readonly Option[];
}

const MOST_ROWS = 6;

/** What was chosen and is gone at Pipedrive stays, so that saving does not change it unseen. */
export function PickMany({
  id,
  label,
  name,
  chosen,
  groups,
  taken,
  error,
}: {
  readonly id: string;
  readonly label: string;
  readonly name: string;
  readonly chosen: readonly string[];
  readonly groups: readonly PickGroup[];
  /** The field that chooses one of these already, which is not offered then. */
  readonly taken?: { readonly id: string; readonly value: string };
  readonly error: string | undefined;
}): VNode {
  const known = new Set(groups.flatMap(({ options }) => options.map(({ value }) => value)));
  const gone = chosen.filter((value) => !known.has(value)).map((value) => ({ value, label: `no longer there (${value})` }));
  const all = gone.length === 0 ? groups : [...groups, { label: null, options: gone }];
  const rows = all.reduce((sum, { label: heading, options }) => sum + options.length + (heading === null ? 0 : 1), 0);
  return (
    <Field id={id} label={label} error={error}>
      <select
        id={id}
        name={name}
        multiple
        size={Math.max(2, Math.min(rows, MOST_ROWS))}
        data-without={taken?.id}
        {...described({ id, error })}
      >
        {all.map(({ label: heading, options }) =>
          heading === null ? (
            <Options options={options} chosen={chosen} taken={taken?.value} />
          ) : (
            <optgroup label={heading}>
              <Options options={options} chosen={chosen} taken={taken?.value} />
            </optgroup>
          ),
        )}
      </select>
    </Field>
  );
}

function Options({
  options,
  chosen,
  taken,
}: {
  readonly options: readonly Option[];
  readonly chosen: readonly string[];
  readonly taken: string | undefined;
}): VNode {
  return (
    <>
      {options.map(({ value, label }) => (
        <option
          value={value}
          selected={value !== taken && chosen.includes(value)}
          hidden={value === taken}
          disabled={value === taken}
        >
          {label}
        </option>
      ))}
    </>
  );
}
