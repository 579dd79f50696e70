/** The activity in words: the filter as it was filled in, events by day, what is said when there are none. Pure. */

import type { ActivityFilterView, ActivityView } from '../../views/settings/activity';
import type { Option, Refusal } from '../../views/form';
import type { TenantProfile } from '../core/tenant';
import type { StoredRule } from '../rules/rule.store';
import { ACTIVITY_STATUSES, LOOKED_THROUGH, type ActivityStatus, type FoundEvents } from './activity.store';
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

export interface ReadFilter {
  /** As it was typed. */
  readonly deal: string;
  readonly ruleId: number | null;
  readonly status: ActivityStatus | null;
  readonly beforeId: number | null;
}

/** What cannot be meant is no filter. */
export function readFilter(form: FormValues): ReadFilter {
  return {
    deal: form.text('deal').slice(0, 200),
    ruleId: idOf(form.text('rule'), 2_147_483_647),
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
  readonly isAdmin: boolean;
  readonly replayable: number | null;
  readonly refusal: Refusal | null;
  readonly now: Date;
}

export function activityView({ facts, filter, found, isAdmin, replayable, refusal, now }: Given): ActivityView {
  const { tenant } = facts;
  const shown = { deal: filter.deal, rule: String(filter.ruleId ?? ''), status: filter.status ?? '' };
  const isFiltered = shown.deal !== '' || shown.rule !== '' || shown.status !== '';
  return {
    ...{ filter: shown, isFiltered, replayable, refusal, canReplay: isAdmin },
    rules: [{ value: '', label: 'Any rule' }, ...facts.rules.map(ruleOption)],
    statuses: [
      { value: '', label: 'Any' },
      ...ACTIVITY_STATUSES.map((status) => ({ value: status, label: STATUS_WORDS[status] })),
    ],
    days: byDay(facts, tenant, now),
    empty: facts.events.length > 0 ? null : emptyWords(isFiltered, filter),
    cutShort: found.isCutShort ? `${LOOKED_THROUGH.toLocaleString('en')} events were looked through for this.` : null,
    olderUrl: found.nextBefore === null ? null : urlOf(shown, found.nextBefore),
    url: urlOf(shown, filter.beforeId),
    newestUrl: filter.beforeId === null ? null : urlOf(shown, null),
  };
}

function ruleOption({ id, name, enabled }: StoredRule): Option {
  return { value: String(id), label: enabled ? name : `${name} (off)` };
}

function byDay(facts: PageFacts, tenant: TenantProfile, now: Date): ActivityView['days'] {
  const today = dayWords(now, tenant);
  const yesterday = dayWords(new Date(now.getTime() - 86_400_000), tenant);
  const days = new Map<string, ActivityView['days'][number]['events'][number][]>();
  for (const [index, view] of eventViews(facts).entries()) {
    const occurredAt = facts.events[index]?.occurredAt ?? now;
    const day = dayWords(occurredAt, tenant);
    days.set(day, [...(days.get(day) ?? []), { ...view, when: wordsOf(occurredAt, tenant, { timeStyle: 'short' }) }]);
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
