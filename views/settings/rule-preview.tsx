/** What a rule would have told: how much of it, when, and how it looks. */

import type { VNode } from 'preact';
import type { ChatMessage } from '../../src/core/chat-message';
import { CardPreview } from '../card-preview';
import { RefusalBox, type Refusal } from '../form';
import { labelledRefusal, RULE_LABELS } from './rule-labels';

export interface RulePreviewView {
  /** "This rule would have sent 23 messages in the last 30 days, at most 4 a minute." */
  readonly summary: string;
  readonly notes: readonly string[];
  /** "Linen contract 2027, 23 Nov 2026, 13:00"; of a sample, that it is one. */
  readonly caption: string;
  readonly message: ChatMessage;
}

export function RulePreview({ view: { summary, notes, caption, message } }: { readonly view: RulePreviewView }): VNode {
  return (
    <section class="card">
      <h2>What it would look like</h2>
      <p>
        <strong>{summary}</strong>
      </p>
      {notes.length > 0 && (
        <ul class="notes">
          {notes.map((note) => (
            <li>{note}</li>
          ))}
        </ul>
      )}
      <figure class="chat-figure">
        <figcaption class="quiet">{caption}</figcaption>
        <CardPreview message={message} />
      </figure>
    </section>
  );
}

/** Why there is nothing to see, where the preview would stand. */
export function NoPreview({ refusal }: { readonly refusal: Refusal }): VNode {
  return (
    <section class="card">
      <h2>There is no preview yet</h2>
      <RefusalBox refusal={labelledRefusal(refusal)} labels={RULE_LABELS} />
    </section>
  );
}
