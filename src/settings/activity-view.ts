/** The activity in words: the filter as it was filled in, events by day, what is said when there are none. Pure. */

import type { EventView } from '../../views/components';
import type { ActivityFilterView, ActivityView, NewsView } from '../../views/settings/activity';
import type { Option, Refusal } from '../../views/form';
import type { TenantProfile } from '../core/tenant';
import type { StoredRule } from '../rules/rule.store';
import { ACTIVITY_STATUSES, LOOKED_THROUGH, MOST_KNOWN, type ActivityStatus, type FoundEvents } from './activity.store';
import { eventViews, type PageFacts } from './event-views';
import type { FormValues } from './form-values';
import { dayWords, wordsOf } from './words';
import { pageUrl } from '../../views/shell';

const STATUS_WORDS: Readonly<Record<ActivityStatus, string>> = {
  sent: 'Sent',
  waiting: 'Waiting',
  held: 'Held back',
  folded: 'Combined',
  failed: 'Failed',
  dropped: 'Not sent',
  silent: 'Nothing posted',
};

const WATCHES = { value: 'watches', label: 'Watched deals and leads' } as const;

export interface ReadFilter {
  /** As it was typed. */
  readonly deal: string;
  readonly ruleId: number | 'watches' | null;
  readonly status: ActivityStatus | null;
  readonly beforeId: number | null;
}

/** What cannot be meant is no filter. */
export function readFilter(form: FormValues): ReadFilter {
  return {
    deal: form.text('deal').slice(0, 200),
    ruleId: form.text('rule') === WATCHES.value ? WATCHES.value : idOf(form.text('rule'), 2_147_483_647),
    status: ACTIVITY_STATUSES.find((status) => status === form.text('status')) ?? null,
    beforeId: idOf(form.text('before'), Number.MAX_SAFE_INTEGER),
  };
}

function idOf(text: string, max: number): number | null {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : 0;
  return id === 0 || id > max ? null : id;
}

/** What to look for: a number as people write it, a link to the deal, or a part of its title. */
export function dealText(typed: string): string {
  return /\/(?:deal|leads\/inbox)\/([\w-]+)/.exec(typed)?.[1] ?? typed.replace(/^#(?=\d+$)/, '');
}

interface Given {
  readonly facts: PageFacts;
  readonly filter: ReadFilter;
  readonly found: FoundEvents;
  readonly replayable: number | null;
  readonly refusal: Refusal | null;
  /** What this showing of the page is known by when something is sent again from it; null for those who may not. */
  readonly press: string | null;
  readonly now: Date;
}

export function activityView({ facts, filter, found, replayable, refusal, press, now }: Given): ActivityView {
  const { tenant } = facts;
  const shown = shownOf(filter);
  const days = byDay(facts, tenant, now);
  const isFiltered = shown.deal !== '' || shown.rule !== '' || shown.status !== '';
  return {
    ...{ filter: shown, isFiltered, replayable, refusal, press },
    rules: [{ value: '', label: 'Any rule' }, ...facts.rules.map(ruleOption), WATCHES],
    statuses: [
      { value: '', label: 'Any' },
      ...ACTIVITY_STATUSES.map((status) => ({ value: status, label: STATUS_WORDS[status] })),
    ],
    days,
    empty: facts.events.length > 0 ? null : emptyWords(isFiltered, filter),
    cutShort: found.isCutShort ? `${LOOKED_THROUGH.toLocaleString('en')} events were looked through for this.` : null,
    olderUrl: found.nextBefore === null ? null : urlOf(shown, found.nextBefore),
    news:
      filter.beforeId === null
        ? newsView(
            { filter, known: found.newestIds, press },
            0,
            days.flatMap(({ events }) => events),
          )
        : null,
    newestUrl: filter.beforeId === null ? null : urlOf(shown, null),
  };
}

/** As the form and addresses spell it. */
export function shownOf({ deal, ruleId, status }: ReadFilter): ActivityFilterView {
  return { deal, rule: String(ruleId ?? ''), status: status ?? '' };
}

/** At most so many are counted. */
export const MOST_NEWS = 99;
const LOOK_MS = 10_000;

/** What an open page asks for again and again: how much there is beside what it knows, and the events of which more is awaited. */
export function newsView({ filter, known, press }: OpenPage, count: number, shown: readonly EventView[]): NewsView {
  const awaited = shown.filter(({ nextLookMs }) => nextLookMs !== null);
  const events = count === 1 ? '1 new event' : `${count > MOST_NEWS ? `more than ${MOST_NEWS}` : count} new events`;
  const query = new URLSearchParams({
    ...{ ...shownOf(filter), known: known.join(','), told: String(count) },
    ...(press === null ? {} : { press }),
    rows: awaited.map(({ id }) => id).join(','),
  });
  return {
    lookUrl: `${pageUrl('activity', 'news')}?${query.toString()}`,
    everyMs: Math.min(LOOK_MS, ...awaited.map(({ nextLookMs }) => nextLookMs ?? LOOK_MS)),
    show: count === 0 ? null : { label: `Show ${events}`, said: events, url: urlOf(shownOf(filter), null) },
    // Where nothing stands yet, nobody is disturbed.
    showsAtOnce: known.length === 0 && count > 0,
  };
}

/** A page that is open: what it shows, and as which showing. */
interface OpenPage {
  readonly filter: ReadFilter;
  readonly known: readonly number[];
  readonly press: string | null;
}

/** What an open page knows already. */
export interface ReadLook {
  readonly known: readonly number[];
  readonly told: number;
  readonly rows: readonly number[];
}

/** As `newsView` wrote it. */
export function readLook(form: FormValues): ReadLook {
  const number = (text: string): number => idOf(text, Number.MAX_SAFE_INTEGER) ?? 0;
  const ids = (name: string): number[] =>
    form
      .text(name)
      .split(',')
      .map(number)
      .filter((id) => id > 0);
  return { known: ids('known').slice(0, MOST_KNOWN), told: number(form.text('told')), rows: ids('rows').slice(0, MOST_NEWS) };
}

/** Null where a page does not say it. */
export function readPress(form: FormValues): string | null {
  const press = form.text('press');
  return /^[\w-]{1,64}$/.test(press) ? press : null;
}

function ruleOption({ id, name, enabled }: StoredRule): Option {
  return { value: String(id), label: enabled ? name : `${name} (off)` };
}

/** Within their day the time is enough. */
export function timedViews(facts: PageFacts): EventView[] {
  return eventViews(facts).map((view) => ({
    ...view,
    when: wordsOf(new Date(view.whenIso), facts.tenant, { timeStyle: 'short' }),
  }));
}

function byDay(facts: PageFacts, tenant: TenantProfile, now: Date): ActivityView['days'] {
  const today = dayWords(now, tenant);
  const yesterday = dayWords(new Date(now.getTime() - 86_400_000), tenant);
  const days = new Map<string, EventView[]>();
  for (const view of timedViews(facts)) {
    const day = dayWords(new Date(view.whenIso), tenant);
    days.set(day, [...(days.get(day) ?? []), view]);
  }
  return [...days].map(([day, events]) => ({
    label: day === today ? 'Today' : day === yesterday ? 'Yesterday' : day,
    events,
  }));
}

function emptyWords(isFiltered: boolean, { deal, beforeId }: ReadFilter): ActivityView['empty'] {
  if (beforeId !== null) return { title: 'Nothing older', text: 'There is nothing before this.' };
  if (!isFiltered)
    return {
      title: 'Nothing has come in from Pipedrive yet',
      text: 'As soon as something happens to a deal, you see it here, with what each rule made of it.',
    };
  if (deal === '') return { title: 'Nothing found', text: 'No event fits this filter. Try another status or rule.' };
  return {
    title: 'Nothing found',
    text: `No event of a deal called “${deal}” fits this filter. Dealbell knows the deals that something has happened to since it was installed.`,
  };
}

function urlOf(filter: ActivityFilterView, before: number | null): string {
  const given = Object.entries({ ...filter, before: before === null ? '' : String(before) }).filter(([, value]) => value !== '');
  const query = new URLSearchParams(given).toString();
  return `${pageUrl('activity')}${query === '' ? '' : `?${query}`}`;
}
