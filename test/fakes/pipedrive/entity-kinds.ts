/** What Pipedrive does by itself when a record of each kind changes: times, stages that follow pipelines, keys that `previous` leaves out. */
import type {
  ActivityRecord,
  Company,
  DealRecord,
  LeadRecord,
  NoteRecord,
  OrganizationRecord,
  PersonRecord,
  PipelineRecord,
  StageRecord,
  UserRecord,
} from './crm-records';
import { isoSeconds, sqlSeconds } from './crm-records';
import type { EntityKind } from './entity-actions';

export const dealKind: EntityKind<DealRecord> = {
  entity: 'deal',
  tableOf: (company) => company.deals,
  ownerOf: (deal) => deal.owner_id,
  visibilityOf: (deal) => deal.visible_to,
  complete: (before, changes, company, now) => {
    const time = isoSeconds(now);
    const placed = placeInPipeline(before, changes, company);
    const moved = placed.stage_id !== undefined && placed.stage_id !== before.stage_id;
    return {
      update_time: time,
      ...(moved ? { stage_change_time: time } : {}),
      ...(changes.is_archived === undefined ? {} : { archive_time: changes.is_archived ? time : null }),
      ...statusTimes(before, changes, time),
      ...placed,
    };
  },
  // A real stage move is exactly {"stage_id": 427}; only changes of status were seen with update_time.
  untoldKeys: (previous) => ('status' in previous ? ['stage_change_time'] : ['update_time', 'stage_change_time']),
  told: (deal) => ({ ...deal }),
};

function statusTimes(before: DealRecord, changes: Partial<DealRecord>, time: string): Partial<DealRecord> {
  if (changes.status === undefined || changes.status === before.status) return {};
  switch (changes.status) {
    case 'open':
      return { close_time: null, won_time: null, lost_time: null, lost_reason: null };
    case 'won':
      return {
        close_time: time,
        won_time: time,
        lost_time: null,
        lost_reason: null,
        first_won_time: before.first_won_time ?? time,
      };
    case 'lost':
      return { close_time: time, won_time: null, lost_time: time };
    default: {
      const impossible: never = changes.status;
      return impossible;
    }
  }
}

/** A deal's stage and pipeline belong together: changing one alone brings the other along. */
function placeInPipeline(before: DealRecord, changes: Partial<DealRecord>, company: Company): Partial<DealRecord> {
  if (changes.stage_id !== undefined) {
    const stage = company.stages.live.get(changes.stage_id);
    return stage === undefined ? changes : { ...changes, pipeline_id: stage.pipeline_id };
  }
  if (changes.pipeline_id === undefined || changes.pipeline_id === before.pipeline_id) return changes;
  const first = stagesOf(company, changes.pipeline_id)[0];
  return first === undefined ? changes : { ...changes, stage_id: first.id };
}

/** The stages of a pipeline, left to right. */
export function stagesOf(company: Company, pipelineId: number): StageRecord[] {
  return [...company.stages.live.values()]
    .filter((stage) => stage.pipeline_id === pipelineId)
    .sort((left, right) => left.order_nr - right.order_nr);
}

export const leadKind: EntityKind<LeadRecord> = {
  entity: 'lead',
  tableOf: (company) => company.leads,
  ownerOf: (lead) => lead.owner_id,
  visibilityOf: () => '3',
  complete: (_before, changes, _company, now) => ({ update_time: now.toISOString(), ...changes }),
  untoldKeys: () => [],
  told: (lead) => ({ ...lead }),
};

export const personKind: EntityKind<PersonRecord> = {
  entity: 'person',
  tableOf: (company) => company.persons,
  ownerOf: (person) => person.owner_id,
  visibilityOf: (person) => person.visible_to,
  complete: (before, changes, _company, now) => ({ update_time: isoSeconds(now), ...changes, ...matchingNames(before, changes) }),
  untoldKeys: () => ['update_time'],
  told: (person) => ({ ...person }),
};

function matchingNames(before: PersonRecord, changes: Partial<PersonRecord>): Partial<PersonRecord> {
  if (changes.name !== undefined) return splitName(changes.name);
  if (changes.first_name === undefined && changes.last_name === undefined) return {};
  const parts = { first_name: before.first_name, last_name: before.last_name, ...changes };
  return { name: [parts.first_name, parts.last_name].filter((part) => part !== null).join(' ') };
}

/** First word and the rest, as Pipedrive splits a name typed into one box. */
export function splitName(name: string): { first_name: string | null; last_name: string | null } {
  const [first, ...rest] = name.split(' ');
  return { first_name: first ?? null, last_name: rest.length > 0 ? rest.join(' ') : null };
}

export const organizationKind: EntityKind<OrganizationRecord> = {
  entity: 'organization',
  tableOf: (company) => company.organizations,
  ownerOf: (organization) => organization.owner_id,
  visibilityOf: (organization) => organization.visible_to,
  complete: (_before, changes, _company, now) => ({ update_time: isoSeconds(now), ...changes }),
  untoldKeys: () => ['update_time'],
  told: (organization) => ({ ...organization }),
};

export const activityKind: EntityKind<ActivityRecord> = {
  entity: 'activity',
  tableOf: (company) => company.activities,
  ownerOf: (activity) => activity.owner_id,
  visibilityOf: () => '3',
  complete: (_before, changes, _company, now) => ({ update_time: isoSeconds(now), ...changes }),
  untoldKeys: () => [],
  told: (activity) => ({ ...activity }),
};

export const noteKind: EntityKind<NoteRecord> = {
  entity: 'note',
  tableOf: (company) => company.notes,
  ownerOf: (note) => note.user_id,
  visibilityOf: () => '3',
  complete: (_before, changes, _company, now) => ({ update_time: isoSeconds(now), ...changes }),
  untoldKeys: () => [],
  told: (note) => ({ ...note }),
};

export const pipelineKind: EntityKind<PipelineRecord> = {
  entity: 'pipeline',
  tableOf: (company) => company.pipelines,
  ownerOf: () => null,
  visibilityOf: () => '3',
  complete: (_before, changes, _company, now) => ({ update_time: isoSeconds(now), ...changes }),
  untoldKeys: () => [],
  told: (pipeline) => ({ ...pipeline }),
};

export const stageKind: EntityKind<StageRecord> = {
  entity: 'stage',
  tableOf: (company) => company.stages,
  ownerOf: () => null,
  visibilityOf: () => '3',
  complete: (_before, changes, _company, now) => ({ update_time: isoSeconds(now), ...changes }),
  untoldKeys: () => [],
  told: (stage) => ({ ...stage }),
};

export const userKind: EntityKind<UserRecord> = {
  entity: 'user',
  tableOf: (company) => company.users,
  ownerOf: () => null,
  visibilityOf: () => '3',
  complete: (_before, changes, _company, now) => ({ modified: sqlSeconds(now), ...changes }),
  untoldKeys: () => [],
  // Webhooks show a user's id as a string and no time zone offset.
  told: ({ id, timezone_offset: _offset, ...rest }) => ({ id: String(id), ...rest }),
};
