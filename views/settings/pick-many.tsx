/** A list out of which any number is chosen: boxes to tick, and above a long one what is chosen and a filter (`pick-many.js`). */

import type { VNode } from 'preact';
import type { Option } from '../form';

export interface PickGroup {
  /** The pipeline of these stages; null for a plain list. */
  readonly label: string | null;
  readonly options: readonly Option[];
}

/** More rows than these scroll. */
const MOST_ROWS = 6;

/** What was chosen and is gone at Pipedrive stays, so that saving does not change it unseen. */
export function PickMany({
  id,
  label,
  isLabelHidden = false,
  name,
  chosen,
  groups,
  taken,
  error,
}: {
  readonly id: string;
  readonly label: string;
  /** It is for screen readers alone. */
  readonly isLabelHidden?: boolean;
  readonly name: string;
  readonly chosen: readonly string[];
  readonly groups: readonly PickGroup[];
  /** The field that chooses one of these already, which is not offered then. */
  readonly taken?: { readonly id: string; readonly value: string };
  readonly error?: string | undefined;
}): VNode {
  const known = new Set(groups.flatMap(({ options }) => options.map(({ value }) => value)));
  const gone = chosen.filter((value) => !known.has(value)).map((value) => ({ value, label: `no longer there (${value})` }));
  const all = gone.length === 0 ? groups : [...groups, { label: null, options: gone }];
  const ticked = new Set(chosen.filter((value) => value !== taken?.value));
  const names = all.flatMap(({ options }) => options.filter(({ value }) => ticked.has(value)).map((option) => option.label));
  const rows = all.reduce((sum, { label: heading, options }) => sum + options.length + (heading === null ? 0 : 1), 0);
  const isLong = rows > MOST_ROWS;
  const describedBy = [...(isLong ? [`${id}-keys`] : []), ...(error === undefined ? [] : [`${id}-error`])].join(' ');
  return (
    <fieldset
      id={id}
      class={`field pick ${isLong ? 'pick-long' : ''}`}
      tabIndex={-1}
      data-without={taken?.id}
      aria-describedby={describedBy || undefined}
      data-invalid={error === undefined ? undefined : 'yes'}
    >
      <legend class={isLabelHidden ? 'visually-hidden' : undefined}>{label}</legend>
      <p class="pick-chosen hint" id={`${id}-chosen`}>
        {names.length === 0 ? 'None chosen' : `${names.length} chosen: ${names.join(', ')}`}
      </p>
      {isLong && (
        <input
          id={`${id}-filter`}
          type="search"
          class="pick-filter"
          placeholder="Filter"
          aria-label={`Filter ${label}`}
          aria-describedby={`${id}-chosen`}
          autocomplete="off"
          spellcheck={false}
        />
      )}
      <div class="pick-list">
        {all.map(({ label: heading, options }) => {
          const boxes = <Boxes list={id} name={name} options={options} ticked={ticked} taken={taken?.value} />;
          if (heading === null) return boxes;
          return (
            <fieldset class="pick-group">
              <legend>{heading}</legend>
              {boxes}
            </fieldset>
          );
        })}
        {rows === 0 && <p class="quiet">Nothing to choose from</p>}
        {isLong && (
          <p class="pick-none quiet" hidden>
            Nothing fits
          </p>
        )}
        {isLong && (
          <p class="pick-keys" id={`${id}-keys`}>
            ↑ ↓ move, Space chooses
          </p>
        )}
      </div>
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </fieldset>
  );
}

function Boxes({
  list,
  name,
  options,
  ticked,
  taken,
}: {
  readonly list: string;
  readonly name: string;
  readonly options: readonly Option[];
  readonly ticked: ReadonlySet<string>;
  readonly taken: string | undefined;
}): VNode {
  return (
    <ul class="pick-rows">
      {options.map(({ value, label }) => (
        <li hidden={value === taken}>
          <label>
            <input
              id={`${list}-${value}`}
              type="checkbox"
              name={name}
              value={value}
              checked={ticked.has(value)}
              disabled={value === taken}
            />
            <span>{label}</span>
          </label>
        </li>
      ))}
    </ul>
  );
}
