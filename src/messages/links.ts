/** Addresses of records in Pipedrive's web app. A URL is built of checked parts only, and is always absolute https. */

import { idField, textField, type RecordState } from '../core/record';

/** Records that activities and notes belong to, and that have a page of their own. */
export type ParentEntity = 'deal' | 'lead' | 'person' | 'organization';
export type LinkedEntity = ParentEntity | 'activity' | 'note';

/** A record as others name it. */
interface RecordPointer {
  readonly entity: LinkedEntity;
  readonly id: string;
}

const PATHS = {
  deal: { one: '/deal/', list: '/deals', id: /^\d{1,15}$/ },
  lead: { one: '/leads/inbox/', list: '/leads/inbox', id: /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i },
  person: { one: '/person/', list: '/persons/list', id: /^\d{1,15}$/ },
  organization: { one: '/organization/', list: '/organizations/list', id: /^\d{1,15}$/ },
} as const;

/** The record's own page; for an activity or note (which have none), or an id that is none, the list it is found in. */
export function recordUrl(companyDomain: string, pointer: RecordPointer): string {
  const list = listUrl(companyDomain, pointer.entity);
  if (pointer.entity === 'activity' || pointer.entity === 'note') return list;
  const path = PATHS[pointer.entity];
  return path.id.test(pointer.id) ? `${originOf(companyDomain)}${path.one}${pointer.id}` : list;
}

/** The list in which records of this kind are found. */
export function listUrl(companyDomain: string, entity: LinkedEntity): string {
  const origin = originOf(companyDomain);
  return entity === 'activity' || entity === 'note' ? `${origin}/activities/list` : `${origin}${PATHS[entity].list}`;
}

/** What an activity or note belongs to: its deal, else lead, person or organization; any other record belongs to itself. */
export function homeOf(pointer: RecordPointer, state: RecordState): RecordPointer {
  if (pointer.entity !== 'activity' && pointer.entity !== 'note') return pointer;
  return parentsOf(state)[0] ?? pointer;
}

/** The records that an activity or note names, nearest first. */
export function parentsOf(state: RecordState): readonly { readonly entity: ParentEntity; readonly id: string }[] {
  const candidates = [
    { entity: 'deal', id: idField(state, 'deal_id') },
    { entity: 'lead', id: textField(state, 'lead_id') },
    { entity: 'person', id: idField(state, 'person_id') },
    { entity: 'organization', id: idField(state, 'org_id') },
  ] as const;
  return candidates.flatMap(({ entity, id }) => (id === null ? [] : [{ entity, id: String(id) }]));
}

/** `app.pipedrive.com` finds the company by the reader's session when the domain on record cannot be one. */
function originOf(companyDomain: string): string {
  const label = companyDomain.toLowerCase();
  return `https://${/^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/.test(label) ? label : 'app'}.pipedrive.com`;
}
