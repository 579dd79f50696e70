/** What a rule would have told: how much of it, when, and how it looks; drawn anew while the form is filled in. */

import type { VNode } from 'preact';
import type { ChatMessage } from '../../src/core/chat-message';
import { CardPreview } from '../card-preview';
import type { Refusal } from '../form';
import { pageUrl } from '../shell';
import { labelledRefusal, RULE_LABELS } from './rule-labels';
import type { RuleFormView } from './rule-view';

export interface RulePreviewView {
  /** "This rule would have sent 23 messages in the last 30 days, at most 4 an hour." */
  readonly summary: string;
  /** The same in short, for screen readers: "23 messages in the last 30 days". */
  readonly said: string;
  readonly notes: readonly string[];
  /** "Linen contract 2027, 23 Nov 2026, 13:00"; of a sample, that it is one. */
  readonly caption: string;
  readonly message: ChatMessage;
}

/** Of one height whatever it shows, so that nothing below it moves while somebody types. */
export function PreviewPane({ view: { preview, refusal } }: { readonly view: Pick<RuleFormView, 'preview' | 'refusal'> }): VNode {
  // A form that comes back refused says why at its fields.
  const when = preview === null && refusal === null ? 'load, ' : '';
  return (
    <div
      id="preview"
      class="preview-pane"
      role="region"
      aria-label="How it looks in Google Chat"
      tabIndex={0}
      data-quiet="yes"
      hx-post={pageUrl('rules', 'preview/part')}
      hx-trigger={`${when}input from:#rule-form delay:500ms, change from:#rule-form delay:500ms`}
      hx-target="this"
      hx-swap="innerHTML"
      hx-sync="this:queue last"
    >
      {preview === null ? <p class="quiet">The card appears here as you fill in the form.</p> : <RulePreview view={preview} />}
    </div>
  );
}

/** Counts the whole time, which may take some seconds; without scripts the page comes again with the card. */
export function PreviewButton(): VNode {
  return (
    <button
      id="preview-rule"
      class="secondary"
      name="whole"
      value="yes"
      formaction={pageUrl('rules', 'preview')}
      hx-post={pageUrl('rules', 'preview/part')}
      hx-target="#preview"
      hx-swap="innerHTML show:#preview:bottom"
      hx-sync="#preview:queue last"
    >
      Preview
    </button>
  );
}

export function RulePreview({ view: { summary, said, notes, caption, message } }: { readonly view: RulePreviewView }): VNode {
  return (
    <>
      <p id="preview-summary" data-said={said}>
        <strong>{summary}</strong>
      </p>
      <figure class="chat-figure">
        <figcaption class="quiet">{caption}</figcaption>
        <CardPreview message={message} />
      </figure>
      {notes.length > 0 && (
        <ul class="notes">
          {notes.map((note) => (
            <li>{note}</li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Why there is nothing to see, where the preview would stand; the links lead to the fields. */
export function NoPreview({
  refusal,
  labels,
}: {
  readonly refusal: Refusal;
  /** Of the conditions. */
  readonly labels: RuleFormView['conditionLabels'];
}): VNode {
  const named = (labelledRefusal(refusal)?.errors ?? []).flatMap(({ path, message }) => {
    const field = Object.entries({ ...RULE_LABELS, ...labels }).find(([known]) => known === path)?.[1];
    return field === undefined ? [] : [{ ...field, message }];
  });
  return (
    <div class="quiet">
      <p id="preview-summary" data-said="No card">
        {named.length === 0 ? refusal.message : 'No preview yet:'}
      </p>
      <ul class="notes">
        {named.map(({ id, label, message }) => (
          <li>
            <a href={`#${id}`}>{label}</a>: {message}
          </li>
        ))}
      </ul>
    </div>
  );
}
