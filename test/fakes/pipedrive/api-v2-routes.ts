/** Pipedrive's API v2 as far as an app reads it: lists with filters and cursors, single records, fields. */
import type { Request, Response } from 'express';
import { Router } from 'express';
import { activityShape, dealShape, fieldShapes, organizationShape, personShape, pipelineShape, stageShape } from './api-shapes';
import type { ShapeContext } from './api-shapes';
import type { Company, Visibility } from './crm-records';
import { usersWhoMaySee } from './crm-records';
import type { HttpGate } from './http-gate';
import { queryNumber, queryText } from './http-gate';

type Json = Record<string, unknown>;
type Listed<R> = {
  readonly path: string;
  readonly name: string;
  tableOf(company: Company): { readonly live: ReadonlyMap<number, R>; readonly deleted: ReadonlyMap<number, R> };
  shape(record: R, context: ShapeContext): Json;
  /** Query parameters that are compared with a field of the same name. */
  readonly filters: readonly string[];
};

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;

export function makeApiV2Routes({ gate }: { gate: HttpGate }): Router {
  const router = Router();
  const contactFilters = ['owner_id', 'person_id', 'org_id', 'pipeline_id', 'stage_id'];
  serve({ path: '/deals', name: 'Deal', tableOf: (company) => company.deals, shape: dealShape, filters: contactFilters });
  serve({
    path: '/persons',
    name: 'Person',
    tableOf: (company) => company.persons,
    shape: personShape,
    filters: ['owner_id', 'org_id'],
  });
  serve({
    path: '/organizations',
    name: 'Organization',
    tableOf: (company) => company.organizations,
    shape: organizationShape,
    filters: ['owner_id'],
  });
  serve({
    path: '/activities',
    name: 'Activity',
    tableOf: (company) => company.activities,
    shape: activityShape,
    filters: ['owner_id', 'deal_id', 'lead_id', 'person_id', 'org_id', 'done'],
  });
  serve({ path: '/pipelines', name: 'Pipeline', tableOf: (company) => company.pipelines, shape: pipelineShape, filters: [] });
  serve({ path: '/stages', name: 'Stage', tableOf: (company) => company.stages, shape: stageShape, filters: ['pipeline_id'] });

  for (const [path, owner] of [
    ['/dealFields', 'deal'],
    ['/personFields', 'person'],
    ['/organizationFields', 'organization'],
  ] as const) {
    router.get(path, (request, response) => {
      answerPage(request, response, fieldShapes(gate.callerOf(request).company, owner), 'field_code');
    });
  }
  return router;

  function serve<R>(listed: Listed<R>): void {
    serveList(listed, listed.path, false);
    if (listed.path === '/deals') serveList(listed, '/deals/archived', true);
    serveOne(listed);
  }

  function serveList<R>(listed: Listed<R>, path: string, isArchived: boolean): void {
    router.get(path, (request, response) => {
      const { company, user } = gate.callerOf(request);
      const table = listed.tableOf(company);
      const wantsDeleted = (queryText(request, 'status') ?? '').split(',').includes('deleted');
      const shaped = (isDeleted: boolean): Json[] =>
        [...(isDeleted ? table.deleted : table.live).values()].map((record) =>
          listed.shape(record, { company, callerUserId: user.id, isDeleted }),
        );
      const rows = [...shaped(false), ...(wantsDeleted ? shaped(true) : [])];
      const seen = rows.filter(
        (row) =>
          (row['is_archived'] === true) === isArchived && maySee(company, user.id, row) && passes(request, row, listed.filters),
      );
      answerPage(request, response, sorted(request, seen), 'id');
    });
  }

  function serveOne<R>(listed: Listed<R>): void {
    router.get(`${listed.path}/:id`, (request, response) => {
      const { company, user } = gate.callerOf(request);
      const table = listed.tableOf(company);
      const id = Number(request.params.id);
      const record = table.live.get(id) ?? table.deleted.get(id);
      const row =
        record === undefined ? null : listed.shape(record, { company, callerUserId: user.id, isDeleted: !table.live.has(id) });
      if (row !== null && maySee(company, user.id, row)) response.json({ success: true, data: row });
      else response.status(404).json({ success: false, error: `${listed.name} not found`, code: 'ERR_NOT_FOUND' });
    });
  }
}

function maySee(company: Company, userId: number, row: Json): boolean {
  const visibleTo: Visibility = row['visible_to'] === 1 ? '1' : '3';
  return usersWhoMaySee(company, Number(row['owner_id']), visibleTo).includes(userId) || visibleTo === '3';
}

function passes(request: Request, row: Json, filters: readonly string[]): boolean {
  const ids = queryText(request, 'ids')?.split(',');
  const statuses = queryText(request, 'status')?.split(',');
  const since = queryText(request, 'updated_since');
  const until = queryText(request, 'updated_until');
  const updated = Date.parse(String(row['update_time']));
  const status = row['is_deleted'] === true ? 'deleted' : String(row['status']);
  return (
    (ids === undefined || ids.includes(String(row['id']))) &&
    (statuses === undefined || !('status' in row) || statuses.includes(status)) &&
    (since === undefined || updated >= Date.parse(since)) &&
    (until === undefined || updated < Date.parse(until)) &&
    filters.every((name) => queryText(request, name) === undefined || queryText(request, name) === String(row[name]))
  );
}

function sorted(request: Request, rows: readonly Json[]): Json[] {
  const key = queryText(request, 'sort_by') ?? 'id';
  const sign = queryText(request, 'sort_direction') === 'desc' ? -1 : 1;
  const rank = (row: Json): number => (key === 'id' || key === 'order_nr' ? Number(row[key]) : Date.parse(String(row[key])));
  return [...rows].sort((left, right) => sign * (rank(left) - rank(right)) || sign * (Number(left['id']) - Number(right['id'])));
}

/** One page; the cursor names the last row of the page before (opaque to callers, as Pipedrive's). */
function answerPage(request: Request, response: Response, rows: readonly Json[], key: string): void {
  const limit = queryNumber(request, 'limit') ?? DEFAULT_LIMIT;
  const cursor = queryText(request, 'cursor');
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    response
      .status(400)
      .json({ success: false, error: `limit must be between 1 and ${MAX_LIMIT}`, code: 'ERR_SCHEMA_VALIDATION_FAILED' });
    return;
  }
  const last = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString('utf8');
  const start = last === undefined ? 0 : rows.findIndex((row) => String(row[key]) === last) + 1;
  if (last !== undefined && start === 0) {
    response.status(400).json({ success: false, error: 'Invalid cursor', code: 'ERR_SCHEMA_VALIDATION_FAILED' });
    return;
  }
  const page = rows.slice(start, start + limit);
  const end = page.at(-1);
  const hasMore = start + limit < rows.length && end !== undefined;
  response.json({
    success: true,
    data: page,
    additional_data: { next_cursor: hasMore ? Buffer.from(String(end[key])).toString('base64url') : null },
  });
}
