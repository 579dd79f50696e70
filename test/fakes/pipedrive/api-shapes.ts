/** CRM records as Pipedrive's REST API shows them, which differs from the webhooks (see the OpenAPI files). */
import type {
  ActivityRecord,
  Company,
  CustomFieldDefinition,
  CustomFields,
  CustomValue,
  DealRecord,
  FieldOption,
  FieldOwner,
  LeadRecord,
  NoteRecord,
  OrganizationRecord,
  PersonRecord,
  PipelineRecord,
  StageRecord,
  UserRecord,
} from './crm-records';

type Json = Record<string, unknown>;
export type ShapeContext = { readonly company: Company; readonly callerUserId: number; readonly isDeleted: boolean };

export function dealShape(deal: DealRecord, { company, isDeleted }: ShapeContext): Json {
  const day = (time: string | null): string | null => time?.slice(0, 10) ?? null;
  return {
    id: deal.id,
    title: deal.title,
    creator_user_id: deal.creator_user_id,
    owner_id: deal.owner_id,
    value: deal.value,
    person_id: deal.person_id,
    org_id: deal.org_id,
    stage_id: deal.stage_id,
    pipeline_id: deal.pipeline_id,
    currency: deal.currency,
    archive_time: deal.archive_time,
    add_time: deal.add_time,
    update_time: deal.update_time ?? deal.add_time,
    stage_change_time: deal.stage_change_time,
    status: deal.status,
    is_archived: deal.is_archived,
    is_deleted: isDeleted,
    probability: deal.probability,
    lost_reason: deal.lost_reason,
    visible_to: Number(deal.visible_to),
    close_time: deal.close_time,
    won_time: deal.won_time,
    lost_time: deal.lost_time,
    local_won_date: day(deal.won_time),
    local_lost_date: day(deal.lost_time),
    local_close_date: day(deal.close_time),
    expected_close_date: deal.expected_close_date,
    label_ids: deal.label_ids,
    origin: deal.origin,
    origin_id: deal.origin_id,
    channel: deal.channel,
    channel_id: deal.channel_id,
    source_lead_id: company.sourceLeads.get(deal.id) ?? null,
    acv: null,
    arr: null,
    mrr: null,
    custom_fields: customFieldsShape(deal.custom_fields),
  };
}

export function personShape(person: PersonRecord, { isDeleted }: ShapeContext): Json {
  const { label: _label, custom_fields: custom, ...rest } = person;
  return {
    ...rest,
    update_time: person.update_time ?? person.add_time,
    is_deleted: isDeleted,
    visible_to: Number(person.visible_to),
    picture_id: null,
    custom_fields: customFieldsShape(custom),
  };
}

export function organizationShape(organization: OrganizationRecord, { isDeleted }: ShapeContext): Json {
  const { label: _label, country_code: _country, picture_id: _picture, custom_fields: custom, ...rest } = organization;
  return {
    ...rest,
    update_time: organization.update_time ?? organization.add_time,
    is_deleted: isDeleted,
    visible_to: Number(organization.visible_to),
    website: null,
    linkedin: null,
    industry: null,
    annual_revenue: null,
    employee_count: null,
    custom_fields: customFieldsShape(custom),
  };
}

export function activityShape(activity: ActivityRecord, { isDeleted }: ShapeContext): Json {
  return {
    id: activity.id,
    subject: activity.subject,
    type: activity.type,
    owner_id: activity.owner_id,
    creator_user_id: activity.owner_id,
    is_deleted: isDeleted,
    add_time: activity.add_time,
    update_time: activity.update_time,
    deal_id: activity.deal_id,
    lead_id: activity.lead_id,
    person_id: activity.person_id,
    org_id: activity.org_id,
    project_id: null,
    due_date: activity.due_date,
    due_time: activity.due_time?.value ?? null,
    duration: activity.duration?.value ?? null,
    busy: activity.busy_flag ?? false,
    done: activity.done,
    marked_as_done_time: activity.done ? activity.update_time : null,
    location: activity.location,
    participants: activity.person_id === null ? [] : [{ person_id: activity.person_id, primary: true }],
    attendees: [],
    conference_meeting_client: null,
    conference_meeting_url: null,
    conference_meeting_id: null,
    public_description: activity.public_description,
    priority: null,
    note: null,
  };
}

export function pipelineShape(pipeline: PipelineRecord, { isDeleted }: ShapeContext): Json {
  const { id, name, order_nr, add_time, update_time } = pipeline;
  return {
    id,
    name,
    order_nr,
    is_deleted: isDeleted,
    is_deal_probability_enabled: pipeline.deal_probability,
    add_time,
    update_time,
  };
}

export function stageShape(stage: StageRecord, { isDeleted }: ShapeContext): Json {
  const { id, order_nr, name, deal_probability, pipeline_id, add_time, update_time } = stage;
  return {
    id,
    order_nr,
    name,
    is_deleted: isDeleted,
    deal_probability,
    pipeline_id,
    is_deal_rot_enabled: stage.rotten_flag,
    days_to_rotten: stage.rotten_days,
    add_time,
    update_time,
  };
}

export function leadShape(lead: LeadRecord, { company }: ShapeContext): Json {
  const { custom_fields: custom, ...rest } = lead;
  return { ...rest, visible_to: '3', cc_email: `${company.domain}+lead@pipedrivemail.example`, ...customFieldsShape(custom) };
}

/** API v1 writes times with a space and names what a note hangs on. */
export function noteShape(note: NoteRecord, { company, callerUserId }: ShapeContext): Json {
  const { deals, persons, organizations, users } = company;
  const deal = note.deal_id === null ? undefined : deals.live.get(note.deal_id);
  const person = note.person_id === null ? undefined : persons.live.get(note.person_id);
  const organization = note.org_id === null ? undefined : organizations.live.get(note.org_id);
  const author = users.live.get(note.user_id);
  return {
    ...note,
    add_time: spaced(note.add_time),
    update_time: spaced(note.update_time),
    deal: deal === undefined ? null : { title: deal.title },
    person: person === undefined ? null : { name: person.name },
    organization: organization === undefined ? null : { name: organization.name },
    project: null,
    user: { email: author?.email ?? '', icon_url: null, is_you: note.user_id === callerUserId, name: author?.name ?? '' },
    last_update_user_id: null,
    pinned_to_lead_flag: false,
    pinned_to_project_flag: false,
  };
}

export function userShape(user: UserRecord, { callerUserId }: ShapeContext): Json {
  return {
    ...user,
    activated: true,
    has_created_company: false,
    role_id: 1,
    is_you: user.id === callerUserId,
    is_deleted: !user.active_flag,
  };
}

export function meShape(user: UserRecord, context: ShapeContext): Json {
  const { company } = context;
  return {
    ...userShape(user, context),
    company_id: company.id,
    company_name: company.name,
    company_domain: company.domain,
    company_country: company.country,
    company_industry: company.industry,
    language: { language_code: 'en', country_code: user.locale.slice(3) },
  };
}

function spaced(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

function customFieldsShape(fields: CustomFields): Json {
  return Object.fromEntries(Object.entries(fields).map(([code, value]) => [code, value === null ? null : plainValue(value)]));
}

/** API v2 has bare values where the webhooks have `{type, ...}`. */
function plainValue(custom: CustomValue): unknown {
  const { type, ...rest } = custom;
  const { value, id, values } = custom;
  if (type === 'set')
    return Array.isArray(values)
      ? values.flatMap((option: unknown) => (typeof option === 'object' && option !== null && 'id' in option ? [option.id] : []))
      : [];
  if (['enum', 'user', 'people', 'org'].includes(type)) return id;
  return ['monetary', 'time', 'timerange', 'daterange', 'address'].includes(type) ? rest : value;
}

const STANDARD_FIELDS: Record<FieldOwner, readonly (readonly [code: string, name: string, type: string])[]> = {
  deal: [
    ['id', 'ID', 'int'],
    ['title', 'Title', 'varchar'],
    ['value', 'Value', 'monetary'],
    ['owner_id', 'Owner', 'user'],
    ['status', 'Status', 'status'],
    ['pipeline_id', 'Pipeline', 'double'],
    ['stage_id', 'Stage', 'stage'],
    ['person_id', 'Contact person', 'people'],
    ['org_id', 'Organization', 'org'],
    ['label_ids', 'Label', 'set'],
    ['probability', 'Probability', 'int'],
    ['expected_close_date', 'Expected close date', 'date'],
    ['lost_reason', 'Lost reason', 'varchar_options'],
    ['add_time', 'Deal created', 'date'],
    ['update_time', 'Update time', 'date'],
    ['won_time', 'Won time', 'date'],
    ['lost_time', 'Lost time', 'date'],
  ],
  person: [
    ['id', 'ID', 'int'],
    ['name', 'Name', 'varchar'],
    ['owner_id', 'Owner', 'user'],
    ['org_id', 'Organization', 'org'],
    ['emails', 'Email', 'varchar'],
    ['phones', 'Phone', 'phone'],
    ['label_ids', 'Labels', 'set'],
  ],
  organization: [
    ['id', 'ID', 'int'],
    ['name', 'Name', 'varchar'],
    ['owner_id', 'Owner', 'user'],
    ['address', 'Address', 'address'],
    ['label_ids', 'Labels', 'set'],
  ],
};

/** All fields of deals, persons or organizations: the standard ones, then the company's own. */
export function fieldShapes(company: Company, owner: FieldOwner): Json[] {
  const standard = STANDARD_FIELDS[owner].map(([code, name, type]) =>
    fieldShape({ code, name, type, options: code === 'label_ids' ? company.labels[owner] : null }, false),
  );
  return [...standard, ...company.customFields[owner].map((field) => fieldShape(field, true))];
}

function fieldShape({ code, name, type, options }: CustomFieldDefinition, isCustom: boolean): Json {
  const plainOption = ({ id, label, color }: FieldOption): Json => (color === null ? { id, label } : { id, label, color });
  return {
    field_name: name,
    field_code: code,
    field_type: type,
    options: options === null ? null : options.map(plainOption),
    subfields:
      type === 'monetary'
        ? [
            { field_code: 'value', field_name: 'Amount', field_type: 'double' },
            { field_code: 'currency', field_name: 'Currency', field_type: 'varchar' },
          ]
        : null,
    is_custom_field: isCustom,
    is_optional_response_field: false,
  };
}
