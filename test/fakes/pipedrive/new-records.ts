/** Fresh CRM records with Pipedrive's defaults; what a caller names wins. */
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
import { splitName, stagesOf } from './entity-kinds';

export type Fresh<R> = {
  readonly company: Company;
  readonly id: R extends { readonly id: infer I } ? I : never;
  readonly now: Date;
  readonly fields: Partial<R>;
};

export function newDeal({ company, id, now, fields }: Fresh<DealRecord>): DealRecord {
  const time = isoSeconds(now);
  const owner = fields.owner_id ?? firstUserId(company);
  const named = fields.stage_id === undefined ? undefined : company.stages.live.get(fields.stage_id);
  const pipelineId = fields.pipeline_id ?? named?.pipeline_id ?? [...company.pipelines.live.keys()][0] ?? 0;
  const won = fields.status === 'won' ? time : null;
  const lost = fields.status === 'lost' ? time : null;
  return {
    add_time: time,
    channel: null,
    channel_id: null,
    close_time: won ?? lost,
    creator_user_id: owner,
    currency: company.currency,
    expected_close_date: null,
    first_won_time: won,
    label_ids: [],
    lost_reason: null,
    lost_time: lost,
    org_id: null,
    origin: 'ManuallyCreated',
    origin_id: null,
    owner_id: owner,
    person_id: null,
    pipeline_id: pipelineId,
    probability: null,
    stage_change_time: null,
    stage_id: named?.id ?? stagesOf(company, pipelineId)[0]?.id ?? 0,
    status: 'open',
    title: `Deal ${id}`,
    update_time: null,
    value: 0,
    visible_to: '3',
    won_time: won,
    is_archived: false,
    archive_time: null,
    ...fields,
    custom_fields: { ...unsetCustomFields(company, 'deal'), ...fields.custom_fields },
    id,
  };
}

export function newLead({ company, id, now, fields }: Fresh<LeadRecord>): LeadRecord {
  const owner = fields.owner_id ?? firstUserId(company);
  return {
    add_time: now.toISOString(),
    channel: null,
    channel_id: null,
    creator_id: owner,
    expected_close_date: null,
    is_archived: false,
    label_ids: [],
    next_activity_id: null,
    organization_id: null,
    origin: 'ManuallyCreated',
    origin_id: null,
    owner_id: owner,
    person_id: null,
    source_name: 'Manually created',
    title: 'Lead',
    update_time: now.toISOString(),
    was_seen: false,
    value: null,
    ...fields,
    // Leads share the deals' custom fields.
    custom_fields: { ...unsetCustomFields(company, 'deal'), ...fields.custom_fields },
    id,
  };
}

export function newPerson({ company, id, now, fields }: Fresh<PersonRecord>): PersonRecord {
  const name =
    fields.name ?? ([fields.first_name, fields.last_name].filter((part) => typeof part === 'string').join(' ') || `Person ${id}`);
  return {
    add_time: isoSeconds(now),
    emails: [],
    ...splitName(name),
    label: null,
    label_ids: [],
    org_id: null,
    owner_id: firstUserId(company),
    phones: [],
    update_time: null,
    visible_to: '3',
    ...fields,
    custom_fields: { ...unsetCustomFields(company, 'person'), ...fields.custom_fields },
    name,
    id,
  };
}

export function newOrganization({ company, id, now, fields }: Fresh<OrganizationRecord>): OrganizationRecord {
  return {
    add_time: isoSeconds(now),
    address: null,
    country_code: null,
    label: null,
    label_ids: [],
    name: `Organization ${id}`,
    owner_id: firstUserId(company),
    picture_id: null,
    update_time: null,
    visible_to: '3',
    ...fields,
    custom_fields: { ...unsetCustomFields(company, 'organization'), ...fields.custom_fields },
    id,
  };
}

export function newActivity({ company, id, now, fields }: Fresh<ActivityRecord>): ActivityRecord {
  return {
    active_flag: true,
    add_time: isoSeconds(now),
    busy_flag: null,
    custom_fields: {},
    deal_id: null,
    done: false,
    due_date: isoSeconds(now).slice(0, 10),
    due_time: null,
    duration: null,
    lead_id: null,
    location: null,
    org_id: null,
    owner_id: firstUserId(company),
    person_id: null,
    public_description: '',
    subject: 'Call',
    type: 'call',
    update_time: isoSeconds(now),
    update_user_id: null,
    ...fields,
    id,
  };
}

export function newNote({ company, id, now, fields }: Fresh<NoteRecord>): NoteRecord {
  return {
    user_id: firstUserId(company),
    deal_id: null,
    person_id: null,
    org_id: null,
    lead_id: null,
    project_id: null,
    active_flag: true,
    content: 'Note',
    add_time: isoSeconds(now),
    update_time: isoSeconds(now),
    pinned_to_deal_flag: false,
    pinned_to_person_flag: false,
    pinned_to_organization_flag: false,
    ...fields,
    id,
  };
}

export function newPipeline({ company, id, now, fields }: Fresh<PipelineRecord>): PipelineRecord {
  const name = fields.name ?? `Pipeline ${id}`;
  return {
    name,
    url_title: name.replaceAll(' ', '-'),
    order_nr: company.pipelines.live.size,
    active_flag: true,
    deal_probability: false,
    add_time: isoSeconds(now),
    update_time: isoSeconds(now),
    ...fields,
    id,
  };
}

export function newStage({ company, id, now, fields }: Fresh<StageRecord>): StageRecord {
  const pipelineId = fields.pipeline_id ?? [...company.pipelines.live.keys()][0] ?? 0;
  return {
    name: `Stage ${id}`,
    active_flag: true,
    rotten_days: null,
    order_nr: stagesOf(company, pipelineId).length,
    deal_probability: 100,
    rotten_flag: false,
    add_time: isoSeconds(now),
    pipeline_id: pipelineId,
    update_time: isoSeconds(now),
    ...fields,
    id,
  };
}

export function newUser({ company, id, now, fields }: Fresh<UserRecord>): UserRecord {
  const name = fields.name ?? `User ${id}`;
  return {
    default_currency: company.currency,
    name,
    email: `${name.toLowerCase().replaceAll(/[^a-z]+/g, '.')}@${company.domain}.example`,
    phone: null,
    locale: 'en_GB',
    lang: 1,
    active_flag: true,
    last_login: sqlSeconds(now),
    timezone_name: 'Europe/Berlin',
    timezone_offset: '+01:00',
    icon_url: null,
    created: sqlSeconds(now),
    modified: sqlSeconds(now),
    access: accessRights(false),
    ...fields,
    id,
  };
}

/** The `access` list of an administrator or of a regular user. */
export function accessRights(admin: boolean): UserRecord['access'] {
  const rights = [
    { app: 'sales', admin, permission_set_id: '62cc4d7f-4038-4352-abf3-a8c1c822b631' },
    { app: 'global', admin, permission_set_id: '233b7976-39bd-43a9-b305-ef3a2b0998e5' },
  ];
  return admin
    ? [...rights, { app: 'account_settings', admin, permission_set_id: '982c5ce5-b8ba-4b47-b102-9da024f4b990' }]
    : rights;
}

function firstUserId(company: Company): number {
  return [...company.users.live.keys()][0] ?? 0;
}

/** All custom fields of the account appear in a payload; unset ones are null. */
function unsetCustomFields(company: Company, owner: 'deal' | 'person' | 'organization'): Record<string, null> {
  return Object.fromEntries(company.customFields[owner].map((field) => [field.code, null]));
}
