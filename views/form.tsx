/** Forms: labels tied to inputs, hints and errors beside them, and a summary of what was refused. A form works without scripts too. */

import type { ComponentChildren, VNode } from 'preact';
import { useContext } from 'preact/hooks';
import { FormToken } from './shell';

/** What was refused: words for the whole, and for single fields by the API's path. */
export interface Refusal {
  readonly message: string;
  readonly errors: readonly { readonly path: string; readonly message: string }[];
}

/** Sends by POST, as the person who opened the page. `question` is asked in Pipedrive's own dialog first. */
export function PageForm({
  action,
  id,
  question,
  inline = false,
  children,
}: {
  readonly action: string;
  readonly id: string;
  readonly question?: { readonly title: string; readonly text: string; readonly ok: string };
  /** A form that is one button. */
  readonly inline?: boolean;
  readonly children: ComponentChildren;
}): VNode {
  const token = useContext(FormToken);
  return (
    <form
      id={id}
      method="post"
      action={action}
      class={inline ? 'inline' : undefined}
      hx-sync="this:drop"
      {...(question === undefined
        ? {}
        : { 'hx-confirm': question.title, 'data-confirm-text': question.text, 'data-confirm-ok': question.ok })}
    >
      {token !== null && <input type="hidden" name="pageToken" value={token} />}
      {children}
    </form>
  );
}

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: ComponentChildren;
  /** Why it was refused. */
  readonly error?: string | undefined;
}

/** What ties an input to its hint and error. */
export function described({ id, hint, error }: Pick<FieldProps, 'id' | 'hint' | 'error'>): Record<string, string> {
  const by = [...(error === undefined ? [] : [`${id}-error`]), ...(hint === undefined ? [] : [`${id}-hint`])];
  return {
    ...(by.length === 0 ? {} : { 'aria-describedby': by.join(' ') }),
    ...(error === undefined ? {} : { 'aria-invalid': 'true' }),
  };
}

/** A label with its input (`children`), hint and error. */
export function Field({ id, label, hint, error, children }: FieldProps & { readonly children: ComponentChildren }): VNode {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** A line of text. */
export function TextField({
  name,
  value = '',
  type = 'text',
  required = false,
  ...field
}: FieldProps & {
  readonly name: string;
  readonly value?: string;
  readonly type?: 'text' | 'number' | 'time' | 'url';
  readonly required?: boolean;
  readonly maxLength?: number;
  readonly placeholder?: string;
  readonly min?: number;
  readonly list?: string;
  readonly focused?: boolean;
  /** What has to be typed before the form's question is asked. */
  readonly confirms?: string;
}): VNode {
  const { id, label, hint, error, focused = false, confirms, ...rest } = field;
  return (
    <Field id={id} label={label} hint={hint} error={error}>
      <input
        {...{ id, name, type, value, required, ...rest }}
        {...described({ id, hint, error })}
        {...(focused ? { autofocus: true } : {})}
        data-confirms={confirms}
        autocomplete="off"
        spellcheck={false}
      />
    </Field>
  );
}

export interface Option {
  readonly value: string;
  readonly label: string;
}

/** One of several. */
export function SelectField({
  name,
  value,
  options,
  ...field
}: FieldProps & { readonly name: string; readonly value: string; readonly options: readonly Option[] }): VNode {
  const { id } = field;
  return (
    <Field {...field}>
      <select id={id} name={name} {...described(field)}>
        {options.map((option) => (
          <option value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** A box to tick, with its words beside it. */
export function CheckField({
  id,
  name,
  value,
  label,
  hint,
  checked,
}: {
  readonly id: string;
  readonly name: string;
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
  readonly checked: boolean;
}): VNode {
  return (
    <div class="check">
      <input type="checkbox" {...{ id, name, value, checked }} {...described({ id, hint })} />
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** Why nothing was saved, above the form; `labels` names the fields by path and leads to them. */
export function RefusalBox({
  refusal,
  labels = {},
}: {
  readonly refusal: Refusal | null;
  readonly labels?: Readonly<Record<string, { readonly id: string; readonly label: string }>>;
}): VNode | null {
  if (refusal === null) return null;
  const named = refusal.errors.flatMap(({ path, message }) => {
    const field = labels[path];
    return field === undefined ? [] : [{ ...field, message }];
  });
  return (
    <div class="refusal" id="refusal" role="alert" tabIndex={-1} data-read-first="yes">
      {named.length === 0 ? (
        <p>{refusal.message}</p>
      ) : (
        <>
          <p>
            <strong>Please check these fields. Nothing was saved or sent.</strong>
          </p>
          <ul>
            {named.map(({ id, label, message }) => (
              <li>
                <a href={`#${id}`}>{label}</a>: {message}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** The words for one field; undefined when it was not refused. */
export function errorAt(refusal: Refusal | null, path: string): string | undefined {
  return refusal?.errors.find((error) => error.path === path || error.path.startsWith(`${path}.`))?.message;
}

/** A text to be copied, with the button that does it. */
export function CopyField({
  id,
  label,
  value,
  button,
}: {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly button: string;
}): VNode {
  return (
    <Field id={id} label={label}>
      <div class="copy-line">
        <input id={id} type="text" readOnly value={value} spellcheck={false} />
        <button type="button" class="secondary" id={`${id}-copy`} data-copy={id}>
          {button}
        </button>
      </div>
    </Field>
  );
}
