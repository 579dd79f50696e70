/** Pieces that several pages show: events with their decisions, messages with what became of them. */

import type { VNode } from 'preact';

export type Tone = 'good' | 'warn' | 'bad' | 'neutral';

export interface DecisionView {
  readonly ruleName: string;
  readonly matched: boolean;
  readonly reason: string;
}

export interface MessageView {
  readonly destination: string;
  readonly ruleName: string;
  readonly state: string;
  readonly tone: Tone;
  readonly reason: string | null;
}

export interface EventView {
  readonly what: string;
  readonly record: string;
  readonly when: string;
  readonly whenIso: string;
  /** What became of it, in one line. */
  readonly outcome: string;
  readonly decisions: readonly DecisionView[];
  /** "3 other rules listen to something else"; null when there is none. */
  readonly others: string | null;
  readonly messages: readonly MessageView[];
}

export function Badge({ text, tone }: { readonly text: string; readonly tone: Tone }): VNode {
  return <span class={`badge badge-${tone}`}>{text}</span>;
}

export function EventList({ events, empty }: { readonly events: readonly EventView[]; readonly empty: string }): VNode {
  if (events.length === 0) return <p class="quiet">{empty}</p>;
  return (
    <ul class="plain">
      {events.map((event) => (
        <EventItem event={event} />
      ))}
    </ul>
  );
}

function EventItem({ event }: { readonly event: EventView }): VNode {
  const { what, record, when, whenIso, outcome, decisions, others, messages } = event;
  return (
    <li class="event">
      <p class="event-head">
        <span>
          <strong>{what}</strong> {record}
        </span>{' '}
        <time dateTime={whenIso}>{when}</time>
      </p>
      {messages.length > 0 && (
        <ul class="plain messages">
          {messages.map(({ destination, ruleName, state, tone, reason }) => (
            <li>
              <Badge text={state} tone={tone} /> {destination} <span class="quiet">by {ruleName}</span>
              {reason !== null && <span class="quiet">: {reason}</span>}
            </li>
          ))}
        </ul>
      )}
      {decisions.length === 0 && others === null ? (
        <p class="quiet">{outcome}</p>
      ) : (
        <details>
          <summary>{outcome}</summary>
          <ul class="plain reasons">
            {decisions.map(({ ruleName, matched, reason }) => (
              <li>
                <Badge text={matched ? 'matched' : 'silent'} tone={matched ? 'good' : 'neutral'} /> <strong>{ruleName}</strong>:{' '}
                {reason}
              </li>
            ))}
            {others !== null && <li class="quiet">{others}</li>}
          </ul>
        </details>
      )}
    </li>
  );
}
