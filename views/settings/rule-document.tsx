/** Rules as a document: taken out, and brought in after a look at what would come of it. */

import type { VNode } from 'preact';
import { Back, Badge, type Tone } from '../components';
import { Field, PageForm, RefusalBox, SelectField, described, errorAt, type Option, type Refusal } from '../form';
import { pageUrl } from '../shell';

export interface ExportView {
  /** JSON, indented. */
  readonly document: string;
  readonly fileName: string;
  /** "3 rules". */
  readonly content: string;
}

export function ExportRules({ document, fileName, content }: ExportView): VNode {
  return (
    <>
      <Back to={pageUrl('account')} />
      <h1>Export rules</h1>
      <section class="card">
        <p class="quiet">
          {content}. It names pipelines, owners and spaces by number and by name, so that another company can find its own.
        </p>
        <Field id="document" label="Document">
          <textarea id="document" class="document" rows={14} readOnly spellcheck={false}>
            {document}
          </textarea>
        </Field>
        <div class="actions">
          <button type="button" id="save-document" data-save="document" data-file={fileName}>
            Save as file
          </button>
          <button type="button" id="copy-document" class="secondary" data-copy="document">
            Copy
          </button>
        </div>
      </section>
    </>
  );
}

export interface ImportView {
  readonly document: string;
  readonly refusal: Refusal | null;
}

const LABELS = { document: { id: 'document', label: 'Document' } } as const;

export function ImportRules({ document, refusal }: ImportView): VNode {
  const error = errorAt(refusal, 'document');
  return (
    <>
      <Back to={pageUrl('account')} />
      <h1>Import rules</h1>
      <section class="card">
        <PageForm id="import-form" action={pageUrl('account', 'import')}>
          <RefusalBox refusal={refusal} labels={LABELS} />
          <Field id="file" label="File" hint="Its text comes into the field below.">
            <input
              type="file"
              id="file"
              accept=".json,application/json"
              data-read-into="document"
              {...described({ id: 'file', hint: '' })}
            />
          </Field>
          <Field id="document" label="Document" error={error} hint="Or paste an export here.">
            <textarea
              id="document"
              class="document"
              name="document"
              rows={12}
              required
              spellcheck={false}
              {...described({ id: 'document', error, hint: '' })}
            >
              {document}
            </textarea>
          </Field>
          <div class="actions">
            <button id="check-document">Check</button>
            <a class="button secondary" href={pageUrl('account')}>
              Cancel
            </a>
          </div>
          <p class="hint">You’ll see a preview before anything changes.</p>
        </PageForm>
      </section>
    </>
  );
}

export interface ImportedRuleView {
  readonly name: string;
  readonly state: string;
  readonly tone: Tone;
  readonly reason: string | null;
}

export interface MappingView {
  /** "Space Sales wins". */
  readonly wanted: string;
  readonly state: string;
  readonly tone: Tone;
  readonly reason: string;
  /** A choice where a person can say what is meant; null where none is needed. */
  readonly choice: { readonly name: string; readonly value: string; readonly options: readonly Option[] } | null;
}

export interface ImportReportView {
  readonly document: string;
  readonly summary: string;
  readonly rules: readonly ImportedRuleView[];
  readonly mappings: readonly MappingView[];
  readonly canImport: boolean;
  readonly button: string;
}

export function ImportReport(view: ImportReportView): VNode {
  const hasChoice = view.mappings.some(({ choice }) => choice !== null);
  return (
    <>
      <Back to={pageUrl('account', 'import')} label="Another document" />
      <h1>Import preview</h1>
      <p class={view.canImport ? undefined : 'problem'}>{view.summary}</p>
      <PageForm id="report-form" action={pageUrl('account', 'import/confirm')}>
        <input type="hidden" name="document" value={view.document} />
        <section class="card" aria-labelledby="imported">
          <h2 id="imported">Rules</h2>
          <ul class="rows">
            {view.rules.map(({ name, state, tone, reason }) => (
              <li>
                <Badge text={state} tone={tone} />
                <strong>{name}</strong>
                {reason !== null && <span class="quiet grow">{reason}</span>}
              </li>
            ))}
          </ul>
        </section>
        {view.mappings.length > 0 && (
          <section class="card" aria-labelledby="named">
            <h2 id="named">References</h2>
            <ul class="rows">
              {view.mappings.map((mapping, index) => (
                <Mapped mapping={mapping} id={`map-${index}`} />
              ))}
            </ul>
          </section>
        )}
        <div class="actions">
          {view.canImport && <button id="confirm-import">{view.button}</button>}
          {hasChoice && (
            <button id="check-again" class="secondary" formaction={pageUrl('account', 'import')}>
              Check again
            </button>
          )}
          <a class="button secondary" href={pageUrl('account')}>
            Cancel
          </a>
        </div>
      </PageForm>
    </>
  );
}

function Mapped({ mapping, id }: { readonly mapping: MappingView; readonly id: string }): VNode {
  const { wanted, state, tone, reason, choice } = mapping;
  return (
    <li>
      <Badge text={state} tone={tone} />
      <strong>{wanted}</strong>
      <span class="quiet grow">{reason}</span>
      {choice !== null && (
        <SelectField id={id} label={`Instead of ${wanted}`} name={choice.name} value={choice.value} options={choice.options} />
      )}
    </li>
  );
}
