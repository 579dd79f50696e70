/** Announcing records by hand: the form that the panel and the modal share, the modal itself, and the card that it makes. */

import type { VNode } from 'preact';
import type { ChatMessage } from '../src/core/chat-message';
import { CardPreview } from './card-preview';
import { described, errorAt, Field, PageForm, RefusalBox, SelectField, type Option, type Refusal } from './form';

export interface AnnounceFormView {
  readonly resource: string;
  /** Parted by commas. */
  readonly selectedIds: string;
  /** Makes a second click harmless. */
  readonly key: string;
  readonly spaces: readonly Option[];
  readonly settingsUrl: string;
  readonly space: string;
  readonly note: string;
  readonly refusal: Refusal | null;
}

/** Which records a form is about. */
export function RecordFields({ resource, selectedIds }: Pick<AnnounceFormView, 'resource' | 'selectedIds'>): VNode {
  return (
    <>
      <input type="hidden" name="resource" value={resource} />
      <input type="hidden" name="selectedIds" value={selectedIds} />
    </>
  );
}

const LABELS = {
  chatWebhookId: { id: 'announce-space', label: 'Space' },
  note: { id: 'announce-note', label: 'Note' },
} as const;

export function AnnounceForm({
  view,
  action,
  preview = null,
}: {
  readonly view: AnnounceFormView;
  readonly action: string;
  /** What stands below the button. */
  readonly preview?: VNode | null;
}): VNode {
  const { spaces, refusal } = view;
  if (spaces.length === 0) {
    return (
      <p>
        No Google Chat space is connected yet.{' '}
        <a id="to-settings" href={view.settingsUrl} target="_blank" rel="noopener">
          Connect one in the settings
        </a>
      </p>
    );
  }
  const noteError = errorAt(refusal, 'note');
  return (
    <PageForm id="announce-form" action={action}>
      <RefusalBox refusal={refusal} labels={LABELS} />
      <RecordFields {...view} />
      <input type="hidden" name="key" value={view.key} />
      <SelectField
        {...LABELS.chatWebhookId}
        name="space"
        value={view.space}
        options={spaces}
        error={errorAt(refusal, 'chatWebhookId')}
      />
      <Field {...LABELS.note} error={noteError}>
        <textarea
          id={LABELS.note.id}
          name="note"
          rows={2}
          maxLength={2000}
          placeholder="What the others should know (optional)"
          {...described({ id: LABELS.note.id, error: noteError, hint: undefined })}
        >
          {view.note}
        </textarea>
      </Field>
      <div class="actions">
        <button id="announce">Announce</button>
      </div>
      {preview}
    </PageForm>
  );
}

export interface AnnouncedRecordView {
  readonly id: string;
  readonly title: string;
}

export interface AnnounceModalView {
  readonly form: AnnounceFormView;
  readonly records: readonly AnnouncedRecordView[];
  readonly entity: string;
  /** Said when not all that were chosen are taken. */
  readonly tooMany: string | null;
}

export function AnnounceModal({ form, records, entity, tooMany }: AnnounceModalView): VNode {
  const [first] = records;
  return (
    <div id="app">
      <main id="page" class="alone announce">
        <h1 class="small" id="announce-heading">
          {records.length === 1 ? `Announce ${first?.title ?? ''}` : `Announce ${records.length} ${entity}s`}
        </h1>
        {records.length > 1 && (
          <ul class="chosen" aria-label="What is announced">
            {records.map(({ title }) => (
              <li>{title}</li>
            ))}
          </ul>
        )}
        {tooMany !== null && <p class="quiet">{tooMany}</p>}
        <AnnounceForm
          view={form}
          action="/extension/modal/announce"
          preview={
            <section class="preview" aria-label="Preview">
              <p class="label">{records.length === 1 ? 'Preview' : `Preview of the first of ${records.length} messages`}</p>
              <div
                id="preview"
                hx-post="/extension/modal/preview"
                hx-trigger="load, change from:#announce-space, input changed delay:400ms from:#announce-note"
                hx-include="#announce-form"
                hx-target="this"
                hx-swap="innerHTML"
                hx-sync="this:replace"
              >
                <p class="quiet">Loading preview…</p>
              </div>
            </section>
          }
        />
      </main>
    </div>
  );
}

/** The card, and with it the name of a record that was not known by name when the modal opened (`title`). */
export function CardOfAnnouncement({
  message,
  title,
}: {
  readonly message: ChatMessage | null;
  readonly title: string | null;
}): VNode {
  if (message === null) return <p class="quiet">Pipedrive knows no such record any more, or cannot be asked just now.</p>;
  return (
    <>
      {title !== null && (
        <h1 class="small" id="announce-heading" hx-swap-oob="true">
          Announce {title}
        </h1>
      )}
      <CardPreview message={message} />
    </>
  );
}

/** It is done: Pipedrive says so, and the modal closes. */
export function Announced({ message }: { readonly message: string }): VNode {
  return (
    <div id="app">
      <main id="page" class="alone">
        <p class="flash" id="flash" data-closes="yes">
          {message}
        </p>
        <h1 class="small">{message}</h1>
        <p class="quiet">You can close this now.</p>
      </main>
    </div>
  );
}
