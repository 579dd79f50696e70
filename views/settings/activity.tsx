/** What came in from Pipedrive, what each rule made of it, and what became of the messages. */

import type { VNode } from 'preact';
import { EventItem, EventList, LookForNews, type EventView, type MessageView } from '../components';
import { PageForm, RefusalBox, SelectField, TextField, type Option, type Refusal } from '../form';
import { pageUrl } from '../shell';

export interface ActivityFilterView {
  readonly deal: string;
  readonly rule: string;
  readonly status: string;
}

export interface ActivityView {
  readonly filter: ActivityFilterView;
  readonly isFiltered: boolean;
  readonly rules: readonly Option[];
  readonly statuses: readonly Option[];
  readonly days: readonly { readonly label: string; readonly events: readonly EventView[] }[];
  /** In place of the list: what there is not. */
  readonly empty: { readonly title: string; readonly text: string } | null;
  /** Said when not everything could be looked through. */
  readonly cutShort: string | null;
  /** Where older events are; null at the end. */
  readonly olderUrl: string | null;
  /** Where the newest are; null when they are shown. */
  readonly newestUrl: string | null;
  /** What asks for news; null on older pages. */
  readonly news: NewsView | null;
  /** What this showing of the page is known by, so that a form that is sent twice is meant once; null: nothing can be sent again. */
  readonly press: string | null;
  /** How many failed messages of this filter can be sent again; null when that is not offered. */
  readonly replayable: number | null;
  readonly refusal: Refusal | null;
}

export interface NewsView {
  readonly lookUrl: string;
  readonly everyMs: number;
  /** Null: nothing is new. */
  readonly show: { readonly label: string; readonly said: string; readonly url: string } | null;
  /** Without a click. */
  readonly showsAtOnce: boolean;
}

export function Activity(view: ActivityView): VNode {
  const { days, empty, filter, press } = view;
  return (
    <>
      <div class="page-head">
        <h1>Activity</h1>
        {view.news !== null && <Newcomers {...view.news} />}
      </div>
      <RefusalBox refusal={view.refusal} />
      {press !== null && <ComparingWithPipedrive />}
      <Filter view={view} />
      <div id="found" data-quiet="yes">
        {view.replayable !== null && press !== null && <ReplayAll filter={filter} press={press} count={view.replayable} />}
        {empty !== null && (
          <section class="empty">
            <h2>{empty.title}</h2>
            <p>{empty.text}</p>
          </section>
        )}
        {days.map(({ label, events }, index) => (
          <section class="card day" aria-labelledby={`day-${index}`}>
            <h2 id={`day-${index}`}>{label}</h2>
            <EventList events={events} empty="" showsReasons={showsReasons(filter)} replay={replayOf(filter, press)} />
          </section>
        ))}
        {view.cutShort !== null && <p class="quiet">{view.cutShort}</p>}
        <Pages view={view} />
      </div>
    </>
  );
}

/** What somebody asks about who wants to know why a rule said nothing. */
const showsReasons = ({ status, rule }: ActivityFilterView): boolean => status === 'silent' && rule !== '';
function replayOf(filter: ActivityFilterView, press: string | null) {
  if (press === null) return undefined;
  return (message: MessageView, event: EventView) => <Replay message={message} event={event} filter={filter} press={press} />;
}

function Newcomers({ lookUrl, everyMs, show, showsAtOnce }: NewsView): VNode {
  return (
    <div id="news" class="at-end" data-quiet="yes">
      <LookForNews of="news" everyMs={everyMs} hx-get={lookUrl} />
      {show !== null && (
        <a id="show-news" class="button secondary" href={show.url} data-focus-new="event-" data-said={show.said}>
          {show.label}
        </a>
      )}
      {show !== null && showsAtOnce && <ShowAtOnce url={show.url} />}
    </div>
  );
}

/** The list alone: somebody may be typing into the filter above it. */
function ShowAtOnce({ url }: { readonly url: string }): VNode {
  const list = { 'hx-target': '#found', 'hx-select': '#found', 'hx-select-oob': '#news', 'hx-swap': 'outerHTML' };
  return <span hidden data-look="yes" hx-get={url} hx-trigger="load" {...list} hx-sync="this" />;
}

/** In the place of what looked for it, with the events of which more is known now. */
export function News({
  view,
  events,
  filter,
  press,
}: {
  readonly view: NewsView;
  readonly events: readonly EventView[];
  readonly filter: ActivityFilterView;
  readonly press: string | null;
}): VNode {
  return (
    <>
      <Newcomers {...view} />
      {events.map((event) => (
        <EventItem event={event} showsReasons={showsReasons(filter)} replay={replayOf(filter, press)} isNews />
      ))}
    </>
  );
}

function Filter({ view: { filter, isFiltered, rules, statuses } }: { readonly view: ActivityView }): VNode {
  return (
    <form id="filter" method="get" action={pageUrl('activity')} class="filter" aria-label="Filter the activity">
      <TextField id="filter-deal" label="Deal" name="deal" value={filter.deal} placeholder="Title or number" maxLength={200} />
      <SelectField id="filter-rule" label="Rule" name="rule" value={filter.rule} options={rules} />
      <SelectField id="filter-status" label="Status" name="status" value={filter.status} options={statuses} />
      <div class="actions">
        <button id="filter-show" class="secondary">
          Filter
        </button>
        {isFiltered && (
          <a id="filter-clear" href={pageUrl('activity')}>
            Clear
          </a>
        )}
      </div>
    </form>
  );
}

/** Comes by itself a moment after the page: the comparison looks at a whole day. */
function ComparingWithPipedrive(): VNode {
  return (
    <p
      id="compared"
      class="compared quiet"
      hx-get={pageUrl('activity', 'compared')}
      hx-trigger="load"
      hx-target="this"
      hx-swap="outerHTML"
      hx-sync="this"
    >
      Comparing with Pipedrive’s own lists…
    </p>
  );
}

/** The sentence of the comparison, in the place of its announcement. */
export function Compared({ sentence, isComplete }: { readonly sentence: string; readonly isComplete: boolean }): VNode {
  return (
    <p id="compared" class={isComplete ? 'compared quiet' : 'compared problem'}>
      {sentence}
    </p>
  );
}

/** The filter of the page that comes in answer, and the page that was pressed in. */
function HiddenPage({ filter, press }: { readonly filter: ActivityFilterView; readonly press: string }): VNode {
  return (
    <>
      <input type="hidden" name="deal" value={filter.deal} />
      <input type="hidden" name="rule" value={filter.rule} />
      <input type="hidden" name="status" value={filter.status} />
      <input type="hidden" name="press" value={press} />
    </>
  );
}

function Replay({
  message,
  event,
  filter,
  press,
}: {
  readonly message: MessageView;
  readonly event: EventView;
  readonly filter: ActivityFilterView;
  readonly press: string;
}): VNode {
  const name = `Send again to ${message.destination}: ${event.what} ${event.record}`;
  const question = {
    title: `Send this message to ${message.destination} again?`,
    text: 'It is posted as a new message for everybody in the space.',
    ok: 'Send again',
  };
  return (
    <PageForm id={`replay-form-${message.id}`} action={pageUrl('activity', 'replay')} question={question} inline>
      <input type="hidden" name="delivery" value={message.id} />
      <HiddenPage filter={filter} press={press} />
      <button id={`replay-${message.id}`} class="small secondary" aria-label={name}>
        Send again
      </button>
    </PageForm>
  );
}

function ReplayAll({
  filter,
  press,
  count,
}: {
  readonly filter: ActivityFilterView;
  readonly press: string;
  readonly count: number;
}): VNode {
  if (count === 0) return <p class="quiet">None of them can be sent again: they were sent since, or their space is gone.</p>;
  const messages = count === 1 ? '1 message' : `${count} messages`;
  const question = {
    title: `Send ${messages} again?`,
    text: 'Each goes out as a new message, in the order in which they happened. What is on its way already is left alone.',
    ok: `Send ${messages}`,
  };
  return (
    <PageForm id="replay-all-form" action={pageUrl('activity', 'replay-failed')} question={question}>
      <HiddenPage filter={filter} press={press} />
      <p class="actions">
        <span class="grow">Would send {messages} again.</span>
        <button id="replay-all">Send all failed again</button>
      </p>
    </PageForm>
  );
}

function Pages({ view: { olderUrl, newestUrl } }: { readonly view: ActivityView }): VNode | null {
  if (olderUrl === null && newestUrl === null) return null;
  return (
    <nav aria-label="Pages of the activity" class="pages">
      <p class="actions">
        {newestUrl !== null && (
          <a id="newest" class="button secondary" href={newestUrl}>
            Newest
          </a>
        )}
        {olderUrl !== null && (
          <a id="older" class="button secondary" href={olderUrl}>
            Older
          </a>
        )}
      </p>
    </nav>
  );
}
