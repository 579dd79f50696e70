/** Pipedrive's API v1 as far as an app reads it: users, leads, labels, notes, activity types, currencies, deal sums. */
import type { Request, Response } from 'express';
import { Router } from 'express';
import { leadShape, meShape, noteShape, userShape } from './api-shapes';
import type { ShapeContext } from './api-shapes';
import type { Company, DealRecord } from './crm-records';
import type { HttpGate } from './http-gate';
import { queryNumber, queryText } from './http-gate';

const TYPES_TIME = '2019-10-04 16:24:55';

export function makeApiV1Routes({ gate }: { gate: HttpGate }): Router {
  const router = Router();
  const contextOf = (request: Request): ShapeContext => {
    const { company, user } = gate.callerOf(request);
    return { company, callerUserId: user.id, isDeleted: false };
  };

  router.get('/users/me', (request, response) => {
    response.json({ success: true, data: meShape(gate.callerOf(request).user, contextOf(request)) });
  });
  router.get('/users', (request, response) => {
    const context = contextOf(request);
    response.json({ success: true, data: [...context.company.users.live.values()].map((user) => userShape(user, context)) });
  });
  router.get('/users/:id', (request, response) => {
    const context = contextOf(request);
    const user = context.company.users.live.get(Number(request.params.id));
    if (user === undefined) response.status(404).json({ success: false, error: 'User not found or not accessible.' });
    else response.json({ success: true, data: userShape(user, context) });
  });

  router.get('/leads', (request, response) => {
    const context = contextOf(request);
    const since = queryText(request, 'updated_since');
    const leads = [...context.company.leads.live.values()]
      .filter((lead) => !lead.is_archived && matches(request, lead) && isUpdatedSince(lead.update_time, since))
      .sort(byUpdate(request));
    const { page, start, limit, hasMore } = pageOf(request, leads);
    response.json({
      success: true,
      data: page.map((lead) => leadShape(lead, context)),
      additional_data: { start, limit, more_items_in_collection: hasMore },
    });
  });
  router.get('/leads/:id', (request, response) => {
    const context = contextOf(request);
    const lead = context.company.leads.live.get(request.params.id);
    if (lead === undefined) notFound(response, 'requested lead not found');
    else response.json({ success: true, data: leadShape(lead, context) });
  });
  router.get('/leadLabels', (request, response) => {
    response.json({ success: true, data: contextOf(request).company.leadLabels });
  });

  router.get('/notes', (request, response) => {
    const context = contextOf(request);
    const since = queryText(request, 'updated_since');
    const notes = [...context.company.notes.live.values()]
      .filter((note) => matches(request, note) && isUpdatedSince(note.update_time, since))
      .sort(byUpdate(request));
    const { page, start, limit, hasMore } = pageOf(request, notes);
    const pagination = { start, limit, more_items_in_collection: hasMore, ...(hasMore ? { next_start: start + limit } : {}) };
    response.json({ success: true, data: page.map((note) => noteShape(note, context)), additional_data: { pagination } });
  });
  router.get('/notes/:id', (request, response) => {
    const context = contextOf(request);
    const note = context.company.notes.live.get(Number(request.params.id));
    if (note === undefined) notFound(response, 'Note not found');
    else response.json({ success: true, data: noteShape(note, context) });
  });

  router.get('/activityTypes', (_request, response) => {
    response.json({ success: true, data: ACTIVITY_TYPES });
  });
  router.get('/currencies', (_request, response) => {
    response.json({ success: true, data: CURRENCIES });
  });
  router.get('/deals/summary', (request, response) => {
    const { company } = gate.callerOf(request);
    const status = queryText(request, 'status');
    const deals = [...company.deals.live.values()].filter(
      (deal) => !deal.is_archived && matches(request, deal) && (status === undefined || status === deal.status),
    );
    response.json({ success: true, data: dealsSummary(company, deals) });
  });
  return router;
}

/** Compares every `*_id` query parameter with the record's field of that name. */
function matches(request: Request, record: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(record)
    .filter((key) => key.endsWith('_id') && queryText(request, key) !== undefined)
    .every((key) => String(record[key]) === queryText(request, key));
}

function isUpdatedSince(updateTime: string, since: string | undefined): boolean {
  return since === undefined || Date.parse(updateTime) >= Date.parse(since);
}

/** `sort=update_time`, `update_time ASC` or `DESC`; any other order stays that of the ids. */
function byUpdate(request: Request): (left: { update_time: string }, right: { update_time: string }) => number {
  const [field, mode = 'ASC'] = (queryText(request, 'sort') ?? '').split(' ');
  const sign = mode.toUpperCase() === 'DESC' ? -1 : 1;
  return (left, right) => (field === 'update_time' ? sign * (Date.parse(left.update_time) - Date.parse(right.update_time)) : 0);
}

function pageOf<T>(request: Request, rows: readonly T[]): { page: T[]; start: number; limit: number; hasMore: boolean } {
  const start = queryNumber(request, 'start') ?? 0;
  const limit = queryNumber(request, 'limit') ?? 100;
  return { page: rows.slice(start, start + limit), start, limit, hasMore: start + limit < rows.length };
}

function notFound(response: Response, error: string): void {
  response.status(404).json({ success: false, error, error_info: 'Object was not found.', data: null, additional_data: null });
}

/** Sums per currency, converted into the company's own by its rates; a currency without a rate has no converted sum. */
function dealsSummary(company: Company, deals: readonly DealRecord[]): Record<string, unknown> {
  const groups = groupByCurrency(deals);
  const values: Record<string, unknown> = {};
  const weighted: Record<string, unknown> = {};
  let total = 0;
  for (const [currency, group] of groups) {
    const value = sum(group);
    const rate = company.rates.get(currency);
    const converted = rate === undefined ? undefined : Math.round((value / rate) * 100) / 100;
    total += converted ?? 0;
    const counted = { value, count: group.length, value_formatted: formatted(value, currency) };
    values[currency] = {
      ...counted,
      ...(converted === undefined
        ? {}
        : { value_converted: converted, value_converted_formatted: formatted(converted, company.currency) }),
    };
    weighted[currency] = counted;
  }
  const text = formatted(total, company.currency);
  return {
    values_total: values,
    weighted_values_total: weighted,
    total_count: deals.length,
    total_currency_converted_value: total,
    total_weighted_currency_converted_value: total,
    total_currency_converted_value_formatted: text,
    total_weighted_currency_converted_value_formatted: text,
  };
}

function groupByCurrency(deals: readonly DealRecord[]): Map<string, DealRecord[]> {
  const groups = new Map<string, DealRecord[]>();
  for (const deal of deals) groups.set(deal.currency, [...(groups.get(deal.currency) ?? []), deal]);
  return groups;
}

function sum(deals: readonly DealRecord[]): number {
  return deals.reduce((total, deal) => total + deal.value, 0);
}

function formatted(amount: number, currency: string): string {
  return new Intl.NumberFormat('en-GB', {
    style: 'currency',
    currency,
    maximumFractionDigits: 2,
    minimumFractionDigits: 0,
  }).format(amount);
}

const ACTIVITY_TYPES = (
  [
    ['Call', 'call', 'call'],
    ['Meeting', 'meeting', 'meeting'],
    ['Task', 'task', 'task'],
    ['Deadline', 'deadline', 'deadline'],
    ['Email', 'email', 'email'],
    ['Lunch', 'lunch', 'lunch'],
    ['Site visit', 'site_visit', 'car'],
  ] as const
).map(([name, key, icon], index) => ({
  id: index + 1,
  order_nr: index + 1,
  name,
  key_string: key,
  icon_key: icon,
  active_flag: true,
  color: 'FFFFFF',
  is_custom_flag: key === 'site_visit',
  add_time: TYPES_TIME,
  update_time: TYPES_TIME,
}));

const CURRENCIES = (
  [
    ['EUR', 'Euro', 2, '€'],
    ['USD', 'US Dollar', 2, '$'],
    ['GBP', 'Pound Sterling', 2, '£'],
    ['SEK', 'Swedish Krona', 2, 'kr'],
    ['JPY', 'Japanese Yen', 0, '¥'],
    ['BRL', 'Brazilian Real', 2, 'R$'],
  ] as const
).map(([code, name, decimals, symbol], index) => ({
  id: index + 1,
  code,
  name,
  decimal_points: decimals,
  symbol,
  active_flag: true,
  is_custom_flag: false,
}));
