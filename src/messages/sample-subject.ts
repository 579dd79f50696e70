/** A believable sample of every event type, for `POST /test`: its names are made up, and its links lead to lists, never to a real record. */

import { RECORD_ENTITIES, type RecordEntity, type RecordState } from '../core/record';
import type { TemplateMode } from '../core/rule';
import type { TenantProfile } from '../core/tenant';
import type { EventType, FieldChange, RecordChange } from '../core/transition';
import { referenceKey, type Named, type NamedEntity, type Names } from './names';
import type { MessageSubject } from './render-message';

/** No ids of Pipedrive's look like these (links take at most 15 digits), so no link can lead to a real record. */
const SAMPLE_ID = 'sample';
const SAMPLE_NUMBER = Number.MAX_SAFE_INTEGER;
const DAY_MS = 24 * 60 * 60 * 1000;

/** @param now the moment at which the sample "happens" */
export function sampleSubject(
  tenant: TenantProfile,
  eventType: EventType,
  mode: TemplateMode,
  template: string | null,
  now: Date = new Date(),
): MessageSubject {
  const entity = entityOf(eventType);
  const change: RecordChange = {
    entity,
    entityId: SAMPLE_ID,
    transition: { type: eventType, changes: sampleChanges(eventType, now), relatedId: SAMPLE_ID },
    state: sampleState(entity, eventType, tenant, now),
    actorUserId: 1,
    occurredAt: now,
  };
  return { change, tenant, destination: { locale: null, timeZone: null, threads: 'off' }, mode, template, isTest: true };
}

/** The names that the sample refers to. */
export function sampleNames(): Names {
  const made: readonly (readonly [NamedEntity, number | string, Partial<Named> & { readonly name: string }])[] = [
    ['user', 1, { name: 'Sample owner' }],
    ['user', 2, { name: 'Former owner' }],
    ['pipeline', 1, { name: 'Sample pipeline' }],
    ['pipeline', 2, { name: 'Former pipeline' }],
    ['stage', 1, { name: 'Qualified', pipelineId: '1', position: 1 }],
    ['stage', 2, { name: 'Proposal made', pipelineId: '1', position: 2 }],
    ['person', SAMPLE_NUMBER, { name: 'Sample person' }],
    ['organization', SAMPLE_NUMBER, { name: 'Sample organization' }],
    ['deal', SAMPLE_NUMBER, { name: 'Sample deal' }],
    ['deal', SAMPLE_ID, { name: 'Another sample deal' }],
    ['lead', SAMPLE_ID, { name: 'Sample lead' }],
    ['dealField', 'label_ids', { name: 'Label', options: new Map([['1', 'Hot']]) }],
  ];
  return new Map(
    made.map(([entity, id, named]) => [
      referenceKey(entity, id),
      { pipelineId: null, position: null, fieldType: null, options: new Map(), ...named },
    ]),
  );
}

function entityOf(eventType: EventType): RecordEntity {
  if (eventType === 'lead.converted') return 'deal';
  return RECORD_ENTITIES.find((entity) => eventType.startsWith(`${entity}.`)) ?? 'deal';
}

function sampleChanges(eventType: EventType, now: Date): readonly FieldChange[] {
  const changes: Partial<Record<EventType, FieldChange>> = {
    'deal.won': { field: 'status', from: 'open', to: 'won' },
    'deal.lost': { field: 'status', from: 'open', to: 'lost' },
    'deal.reopened': { field: 'status', from: 'lost', to: 'open' },
    'deal.stage_changed': { field: 'stage_id', from: 1, to: 2 },
    'deal.pipeline_changed': { field: 'pipeline_id', from: 2, to: 1 },
    'deal.owner_changed': { field: 'owner_id', from: 2, to: 1 },
    'deal.value_changed': { field: 'value', from: 9_600, to: 12_000 },
    'deal.close_date_changed': { field: 'expected_close_date', from: dayAfter(now, 18), to: dayAfter(now, 30) },
    'deal.label_added': { field: 'label_ids', from: [], to: [1] },
    'deal.label_removed': { field: 'label_ids', from: [1], to: [] },
    'activity.rescheduled': { field: 'due_date', from: dayAfter(now, -2), to: dayAfter(now, 1) },
    'deal.field_changed': { field: 'probability', from: 40, to: 60 },
  };
  const change = changes[eventType];
  return change === undefined ? [] : [change];
}

function sampleState(entity: RecordEntity, eventType: EventType, tenant: TenantProfile, now: Date): RecordState {
  const owned = { owner_id: 1, add_time: new Date(now.getTime() - 9 * DAY_MS).toISOString() };
  switch (entity) {
    case 'deal':
      return { ...owned, ...sampleDeal(eventType, tenant, now) };
    case 'lead':
      return {
        ...owned,
        title: 'Sample lead',
        person_id: SAMPLE_NUMBER,
        organization_id: SAMPLE_NUMBER,
        value: { amount: 12_000, currency: tenant.baseCurrency },
      };
    case 'person':
      return { ...owned, name: 'Sample person', org_id: SAMPLE_NUMBER, emails: [{ value: 'sample@example.com', primary: true }] };
    case 'organization':
      return { ...owned, name: 'Sample organization', address: '1 Sample Street' };
    case 'activity':
      return {
        ...owned,
        subject: 'Sample activity',
        type: 'call',
        due_date: dayAfter(now, 1),
        deal_id: SAMPLE_NUMBER,
        person_id: SAMPLE_NUMBER,
        org_id: SAMPLE_NUMBER,
      };
    case 'note':
      return { user_id: 1, content: 'A sample note.', deal_id: SAMPLE_NUMBER, person_id: SAMPLE_NUMBER, org_id: SAMPLE_NUMBER };
    default:
      return entity satisfies never;
  }
}

function sampleDeal(eventType: EventType, tenant: TenantProfile, now: Date): RecordState {
  const status = eventType === 'deal.won' ? 'won' : eventType === 'deal.lost' ? 'lost' : 'open';
  return {
    title: 'Sample deal',
    value: 12_000,
    currency: tenant.baseCurrency,
    status,
    person_id: SAMPLE_NUMBER,
    org_id: SAMPLE_NUMBER,
    pipeline_id: 1,
    stage_id: 2,
    probability: 60,
    expected_close_date: dayAfter(now, 30),
    ...(status === 'won' && { won_time: now.toISOString() }),
    ...(status === 'lost' && { lost_time: now.toISOString(), lost_reason: 'Sample reason' }),
  };
}

function dayAfter(now: Date, days: number): string {
  return new Date(now.getTime() + days * DAY_MS).toISOString().slice(0, 10);
}
