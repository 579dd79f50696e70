/** Pieces that several pages show: events with their decisions, messages with what became of them. */

import type { VNode } from 'preact';

export type Tone = 'good' | 'warn' | 'bad' | 'neutral';

export interface DecisionView {
  readonly ruleName: string;
  readonly matched: boolean;
  readonly reason: string;
}

export interface MessageView {
  readonly id: number;
  readonly destination: string;
  /** "by Big wins", "by hand". */
  readonly why: string;
  readonly state: string;
  readonly tone: Tone;
  /** When it was sent, or until when it waits. */
  readonly when: string | null;
  readonly reason: string | null;
  readonly canReplay: boolean;
}

export interface EventView {
  readonly id: number;
  readonly what: string;
  readonly record: string;
  /** The record in Pipedrive; null when it has no page there. */
  readonly link: string | null;
  /** Somebody told it by hand. */
  readonly announcement: { readonly by: string; readonly note: string | null } | null;
  readonly when: string;
  readonly whenIso: string;
  /** What became of it, in one line. */
  readonly outcome: string;
  readonly decisions: readonly DecisionView[];
  /** "3 other rules listen to something else"; null when there is none. */
  readonly others: string | null;
  readonly messages: readonly MessageView[];
  /** In how many milliseconds there may be more to tell; null: nothing is awaited. */
  readonly nextLookMs: number | null;
}

/** The way back to the page above. */
export function Back({ to, label = 'Back' }: { readonly to: string; readonly label?: string }): VNode {
  return (
    <p class="crumbs">
      <a id="back" href={to}>
        ← {label}
      </a>
    </p>
  );
}

export function Badge({ text, tone }: { readonly text: string; readonly tone: Tone }): VNode {
  return <span class={`badge badge-${tone}`}>{text}</span>;
}

type DrawReplay = (message: MessageView, event: EventView) => VNode;

/** `replay` draws what sends a message again, where that is offered. */
export function EventList({
  events,
  empty,
  showsReasons = false,
  replay,
}: {
  readonly events: readonly EventView[];
  readonly empty: string;
  /** The reasons stand open. */
  readonly showsReasons?: boolean;
  readonly replay?: DrawReplay | undefined;
}): VNode {
  if (events.length === 0) return <p class="quiet">{empty}</p>;
  return (
    <ul class="plain">
      {events.map((event) => (
        <EventItem event={event} showsReasons={showsReasons} replay={replay} />
      ))}
    </ul>
  );
}

/** `isNews`: in the place of the item that stands there of this event. */
export function EventItem({
  event,
  showsReasons,
  replay,
  isNews = false,
}: {
  readonly event: EventView;
  readonly showsReasons: boolean;
  readonly replay: DrawReplay | undefined;
  readonly isNews?: boolean;
}): VNode {
  const { what, record, link, announcement, when, whenIso, outcome, decisions, others, messages } = event;
  const id = `event-${event.id}`;
  return (
    <li class="event" id={id} hx-swap-oob={isNews ? 'true' : undefined}>
      <p class="event-head">
        <span>
          <strong>{what}</strong>{' '}
          {link !== null && record !== '' ? <RecordLink id={`${id}-record`} href={link} title={record} /> : record}
        </span>{' '}
        <time dateTime={whenIso}>{when}</time>
      </p>
      {announcement !== null && (
        <p class="quiet">
          {announcement.by} announced it{announcement.note === null ? '.' : ': '}
          {announcement.note !== null && <q>{announcement.note}</q>}
        </p>
      )}
      {messages.length > 0 && (
        <ul class="plain messages">
          {messages.map((message) => (
            <li>
              <Badge text={message.state} tone={message.tone} />
              <span class="grow">
                {message.destination}{' '}
                <span class="quiet">{[message.why, message.when].filter((part) => part !== null).join(' · ')}</span>
                {message.reason !== null && <span class="reason">{message.reason}</span>}
              </span>
              {message.canReplay && replay?.(message, event)}
            </li>
          ))}
        </ul>
      )}
      {announcement === null && <Reasons isOpen={showsReasons} {...{ id, outcome, decisions, others }} />}
    </li>
  );
}

/**
 * Asks for news again and again, while the page is in sight; stands inside the part that the answer takes the place of, which it names.
 * An answer without content leaves it as it is, and trouble is not told: nobody asked.
 */
export function LookForNews({
  of,
  everyMs,
  ...request
}: {
  readonly of: string;
  readonly everyMs: number;
} & Readonly<Record<`hx-${string}`, string>>): VNode {
  return (
    <span
      hidden
      data-look="yes"
      {...request}
      hx-trigger={`every ${everyMs}ms, visibilitychange from:document`}
      hx-target={`#${of}`}
      hx-swap="outerHTML"
      hx-sync="this:drop"
    />
  );
}

function RecordLink({ id, href, title }: Readonly<Record<'id' | 'href' | 'title', string>>): VNode {
  return (
    <a id={id} href={href} target="_blank" rel="noopener">
      {title}
    </a>
  );
}

function Reasons({
  id,
  isOpen,
  outcome,
  decisions,
  others,
}: Pick<EventView, 'outcome' | 'decisions' | 'others'> & { readonly id: string; readonly isOpen: boolean }): VNode {
  if (decisions.length === 0 && others === null) return <p class="quiet">{outcome}</p>;
  return (
    <details open={isOpen}>
      <summary id={`${id}-reasons`}>{outcome}</summary>
      <ul class="plain reasons">
        {decisions.map(({ ruleName, matched, reason }) => (
          <li>
            <Badge text={matched ? 'matched' : 'silent'} tone={matched ? 'good' : 'neutral'} />
            <span class="grow">
              <strong>{ruleName}</strong>
              {reason === '' ? '' : `: ${reason}`}
            </span>
          </li>
        ))}
        {others !== null && <li class="quiet">{others}</li>}
      </ul>
    </details>
  );
}
