/** Create, change and delete one kind of CRM record, and tell of each as Pipedrive's webhooks would (diff in `previous`). */
import { isDeepStrictEqual } from 'node:util';
import type { Company, Table, Visibility } from './crm-records';
import { usersWhoMaySee } from './crm-records';

export type EntityName = 'deal' | 'lead' | 'person' | 'organization' | 'activity' | 'note' | 'stage' | 'pipeline' | 'user';
export type EventAction = 'create' | 'change' | 'delete';
type Fields = Readonly<Record<string, unknown>>;

/** Who changes something and how it is told. `at` back-dates the change, `companyId` is only needed when two companies have the same id. */
export type ChangeOptions = {
  readonly actorUserId?: number | undefined;
  readonly bulk?: boolean | undefined;
  readonly correlationId?: string | undefined;
  readonly companyId?: number | undefined;
  readonly source?: 'app' | 'api' | undefined;
  readonly at?: Date | undefined;
};

export type CrmEvent = {
  readonly company: Company;
  readonly entity: EntityName;
  readonly action: EventAction;
  readonly entityId: string;
  readonly data: Fields | null;
  readonly previous: Fields | null;
  readonly actorUserId: number;
  readonly correlationId: string;
  readonly isBulkEdit: boolean;
  readonly source: 'app' | 'api';
  readonly permittedUserIds: readonly number[];
  readonly occurredAt: Date;
  readonly mergedToId?: string;
  readonly mergedFromId?: string;
};

export type EntityKind<R extends { readonly id: number | string }> = {
  readonly entity: EntityName;
  tableOf(company: Company): Table<R>;
  ownerOf(record: R): number | null;
  visibilityOf(record: R): Visibility;
  /** The changes plus what Pipedrive sets by itself (times, a stage of the new pipeline). */
  complete(before: R, changes: Partial<R>, company: Company, now: Date): Partial<R>;
  /** Keys that a change event's `previous` leaves out although they changed. */
  untoldKeys(previous: Fields): readonly string[];
  /** The record as a webhook's `data` shows it. */
  told(record: R): Fields;
};

export type EntityActions<R extends { readonly id: number | string }> = {
  find(id: R['id'], companyId?: number): { readonly company: Company; readonly record: R };
  add(company: Company, record: R, options?: ChangeOptions): R;
  change(id: R['id'], changes: Partial<R>, options?: ChangeOptions): R;
  remove(id: R['id'], options?: ChangeOptions): R;
  /** Merges `fromId` into `toId`: a delete with `merged_to_id` and a change with `merged_from_id`. */
  merge(fromId: R['id'], toId: R['id'], options?: ChangeOptions): R;
};

type Needs<R extends { readonly id: number | string }> = {
  kind: EntityKind<R>;
  companies: Map<number, Company>;
  clock: () => Date;
  newUuid: () => string;
  emit: (event: CrmEvent) => void;
};

export function makeEntityActions<R extends { readonly id: number | string }>({
  kind,
  companies,
  clock,
  newUuid,
  emit,
}: Needs<R>): EntityActions<R> {
  function find(id: R['id'], companyId?: number): { company: Company; record: R } {
    const found = [...companies.values()].flatMap((company) => {
      const record = companyId === undefined || companyId === company.id ? kind.tableOf(company).live.get(id) : undefined;
      return record === undefined ? [] : [{ company, record }];
    });
    const [only] = found;
    if (only === undefined) throw new Error(`the stand-in has no ${kind.entity} ${String(id)}`);
    if (found.length > 1) throw new Error(`several companies have a ${kind.entity} ${String(id)}: say which by companyId`);
    return only;
  }

  function tell(
    company: Company,
    record: R,
    told: Pick<CrmEvent, 'action' | 'data' | 'previous' | 'mergedFromId' | 'mergedToId'>,
    options: ChangeOptions,
  ): void {
    const owner = kind.ownerOf(record);
    const admin = [...company.users.live.keys()][0] ?? 0;
    emit({
      company,
      entity: kind.entity,
      entityId: String(record.id),
      actorUserId: options.actorUserId ?? owner ?? admin,
      correlationId: options.correlationId ?? newUuid(),
      isBulkEdit: options.bulk ?? false,
      source: options.source ?? 'app',
      permittedUserIds: usersWhoMaySee(company, owner ?? admin, kind.visibilityOf(record)),
      occurredAt: options.at ?? clock(),
      ...told,
    });
  }

  function replace(company: Company, before: R, changes: Partial<R>, options: ChangeOptions): { after: R; previous: Fields } {
    const after: R = { ...before, ...kind.complete(before, changes, company, options.at ?? clock()) };
    kind.tableOf(company).live.set(after.id, after);
    return { after, previous: difference(kind.told(before), kind.told(after)) };
  }

  function take(id: R['id'], options: ChangeOptions): { company: Company; record: R } {
    const { company, record } = find(id, options.companyId);
    kind.tableOf(company).live.delete(id);
    // A deletion is a change too: the list of what was changed since then shows it.
    kind.tableOf(company).deleted.set(id, { ...record, ...kind.complete(record, {}, company, options.at ?? clock()) });
    return { company, record };
  }

  return {
    find,
    add(company, record, options = {}) {
      kind.tableOf(company).live.set(record.id, record);
      tell(company, record, { action: 'create', data: kind.told(record), previous: null }, options);
      return record;
    },
    change(id, changes, options = {}) {
      const { company, record } = find(id, options.companyId);
      const asked: Fields = { ...record, ...changes };
      if (isDeepStrictEqual(asked, { ...record })) return record;
      const { after, previous } = replace(company, record, changes, options);
      const untold = kind.untoldKeys(previous);
      const shown = Object.fromEntries(Object.entries(previous).filter(([key]) => !untold.includes(key)));
      tell(company, after, { action: 'change', data: kind.told(after), previous: shown }, options);
      return after;
    },
    remove(id, options = {}) {
      const { company, record } = take(id, options);
      tell(company, record, { action: 'delete', data: null, previous: kind.told(record) }, options);
      return record;
    },
    merge(fromId, toId, options = {}) {
      const shared: ChangeOptions = { ...options, correlationId: options.correlationId ?? newUuid() };
      const { company, record: gone } = take(fromId, shared);
      const { record: kept } = find(toId, company.id);
      const { after, previous } = replace(company, kept, {}, shared);
      tell(company, gone, { action: 'delete', data: null, previous: kind.told(gone), mergedToId: String(toId) }, shared);
      tell(company, after, { action: 'change', data: kind.told(after), previous, mergedFromId: String(fromId) }, shared);
      return after;
    },
  };
}

/** The old values of the keys that changed; of `custom_fields` only the changed fields. */
function difference(before: Fields, after: Fields): Fields {
  const changed = Object.keys(after).filter((key) => !isDeepStrictEqual(before[key], after[key]));
  return Object.fromEntries(
    changed.map((key) => [key, key === 'custom_fields' ? oldCustomValues(before[key], after[key]) : before[key]]),
  );
}

function oldCustomValues(before: unknown, after: unknown): Fields {
  const old = new Map(entriesOf(before));
  const fresh = new Map(entriesOf(after));
  const changed = [...new Set([...old.keys(), ...fresh.keys()])].filter(
    (code) => !isDeepStrictEqual(old.get(code) ?? null, fresh.get(code) ?? null),
  );
  return Object.fromEntries(changed.map((code) => [code, old.get(code) ?? null]));
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
