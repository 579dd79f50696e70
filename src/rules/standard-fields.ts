/** The fields that Pipedrive gives every record of a kind, by its API's names and with the type of their values. Pure data. */

import type { RecordEntity } from '../core/record';

/** What a field's values are, as far as comparing them goes. */
export type FieldType =
  | 'text'
  | 'number'
  | 'money'
  | 'day'
  | 'moment'
  | 'time'
  | 'flag'
  /** One out of several, by id: an option, a user, a stage, a person. */
  | 'choice'
  /** Any number of them. */
  | 'choices'
  /** One of a few words of Pipedrive's own: `open`, `app`, `EUR`. */
  | 'word'
  /** Several texts: e-mail addresses, telephone numbers. */
  | 'texts'
  | 'address'
  | 'dayRange'
  | 'timeRange'
  /** Nobody knows; everything may be asked. */
  | 'unknown';

type Fields = Readonly<Record<string, FieldType>>;

/** `{ text: 'title origin' }` as `{ title: 'text', origin: 'text' }`. */
function typed(names: Partial<Readonly<Record<FieldType, string>>>): Fields {
  const entries = Object.entries(names).flatMap(([type, list]) => list.split(' ').map((name) => [name, type] as const));
  return Object.fromEntries(
    entries.flatMap(([name, type]) => FIELD_TYPES.flatMap((known) => (known === type ? [[name, known]] : []))),
  );
}

const FIELD_TYPES = [
  ...(['text', 'number', 'money', 'day', 'moment', 'time', 'flag', 'choice', 'choices', 'word', 'texts', 'address'] as const),
  ...(['dayRange', 'timeRange', 'unknown'] as const),
] as const;

/**
 * What webhooks v2 have (list-of-webhooks-v2 and published captures), then what API v2 and older answers name too: a field that
 * Pipedrive does not send is empty, but naming it is no mistake.
 */
export const STANDARD_FIELDS: Readonly<Record<RecordEntity, Fields>> = {
  deal: typed({
    text: 'title lost_reason origin_id channel_id source_lead_id cc_email',
    word: 'status origin currency',
    money: 'value weighted_value product_amount arr mrr acv',
    number:
      'id probability activities_count done_activities_count undone_activities_count email_messages_count files_count notes_count followers_count participants_count products_count product_quantity',
    day: 'expected_close_date next_activity_date last_activity_date',
    moment:
      'add_time update_time stage_change_time close_time won_time lost_time first_won_time archive_time last_incoming_mail_time last_outgoing_mail_time',
    flag: 'is_archived is_deleted',
    choice: 'owner_id creator_user_id person_id org_id pipeline_id stage_id channel visible_to',
    choices: 'label_ids',
  }),
  lead: typed({
    text: 'id title source_name origin_id channel_id cc_email',
    word: 'origin',
    money: 'value',
    number: 'next_activity_id source_deal_id',
    day: 'expected_close_date',
    moment: 'add_time update_time archive_time',
    flag: 'is_archived was_seen',
    choice: 'owner_id creator_id person_id organization_id channel visible_to',
    choices: 'label_ids',
  }),
  person: typed({
    text: 'name first_name last_name notes job_title',
    number: 'id picture_id open_deals_count won_deals_count lost_deals_count closed_deals_count activities_count',
    day: 'birthday next_activity_date last_activity_date',
    moment: 'add_time update_time last_incoming_mail_time last_outgoing_mail_time',
    flag: 'is_deleted active_flag',
    choice: 'owner_id org_id label visible_to',
    choices: 'label_ids',
    texts: 'emails phones im',
    address: 'postal_address',
  }),
  organization: typed({
    text: 'name website linkedin cc_email',
    word: 'country_code',
    number:
      'id picture_id annual_revenue employee_count open_deals_count won_deals_count lost_deals_count closed_deals_count people_count activities_count',
    day: 'next_activity_date last_activity_date',
    moment: 'add_time update_time',
    flag: 'is_deleted active_flag',
    choice: 'owner_id label industry visible_to',
    choices: 'label_ids',
    address: 'address',
  }),
  activity: typed({
    text: 'subject public_description note conference_meeting_client conference_meeting_url conference_meeting_id',
    number: 'id project_id',
    day: 'due_date',
    time: 'due_time duration',
    moment: 'add_time update_time marked_as_done_time',
    flag: 'done active_flag busy_flag busy is_deleted private',
    choice: 'owner_id creator_user_id update_user_id person_id org_id deal_id lead_id priority type',
    texts: 'participants attendees',
    address: 'location',
  }),
  note: typed({
    text: 'content',
    number: 'id project_id',
    moment: 'add_time update_time',
    flag: 'active_flag pinned_to_deal_flag pinned_to_person_flag pinned_to_organization_flag pinned_to_project_flag',
    choice: 'user_id deal_id lead_id person_id org_id last_update_user_id',
  }),
};

/** Facts of the event itself: who did it, by which way, to many records at once. */
export const EVENT_FIELDS: Fields = { actor_user_id: 'choice', change_source: 'word', is_bulk_edit: 'flag' };

/** Values of Pipedrive's own words, where it has just these. */
export const WORDS: Readonly<Record<string, readonly string[]>> = { status: ['open', 'won', 'lost', 'deleted'] };

/** What people and the fields API call a field that webhooks name otherwise. */
export const OTHER_NAMES: Readonly<Record<RecordEntity, Readonly<Record<string, string>>>> = {
  deal: {
    user_id: 'owner_id',
    owner: 'owner_id',
    label: 'label_ids',
    labels: 'label_ids',
    stage: 'stage_id',
    pipeline: 'pipeline_id',
    person: 'person_id',
    organization: 'org_id',
    organization_id: 'org_id',
    creator: 'creator_user_id',
    creator_id: 'creator_user_id',
    actor: 'actor_user_id',
  },
  lead: {
    user_id: 'owner_id',
    owner: 'owner_id',
    label: 'label_ids',
    labels: 'label_ids',
    person: 'person_id',
    organization: 'organization_id',
    org_id: 'organization_id',
    creator: 'creator_id',
    creator_user_id: 'creator_id',
    source: 'source_name',
    actor: 'actor_user_id',
  },
  person: {
    user_id: 'owner_id',
    owner: 'owner_id',
    labels: 'label_ids',
    email: 'emails',
    phone: 'phones',
    organization: 'org_id',
    organization_id: 'org_id',
    actor: 'actor_user_id',
  },
  organization: { user_id: 'owner_id', owner: 'owner_id', labels: 'label_ids', actor: 'actor_user_id' },
  activity: {
    user_id: 'owner_id',
    assigned_to_user_id: 'owner_id',
    owner: 'owner_id',
    deal: 'deal_id',
    person: 'person_id',
    organization: 'org_id',
    organization_id: 'org_id',
    title: 'subject',
    actor: 'actor_user_id',
  },
  note: {
    owner_id: 'user_id',
    author: 'user_id',
    deal: 'deal_id',
    person: 'person_id',
    organization: 'org_id',
    organization_id: 'org_id',
    text: 'content',
    actor: 'actor_user_id',
  },
};

/** The types of the fields API (`field_type`). */
const CUSTOM_TYPES: Readonly<Record<string, FieldType>> = {
  ...{
    varchar: 'text',
    varchar_auto: 'text',
    varchar_options: 'text',
    text: 'text',
    phone: 'text',
    double: 'number',
    int: 'number',
    monetary: 'money',
  },
  ...{ date: 'day', daterange: 'dayRange', time: 'time', timerange: 'timeRange', address: 'address', boolean: 'flag' },
  ...{ enum: 'choice', status: 'choice', user: 'choice', people: 'choice', org: 'choice', set: 'choices' },
};

/** What a custom field of this type holds. */
export function typeOfCustomField(fieldType: string | null): FieldType {
  return CUSTOM_TYPES[fieldType ?? ''] ?? 'unknown';
}

const PART_TYPES: Readonly<Record<string, FieldType>> = {
  currency: 'word',
  timezone_id: 'number',
  from: 'unknown',
  until: 'unknown',
};

/** What a part of a custom field holds (`<key>_currency`, `<key>_until`, `<key>_locality`). */
export function typeOfPart(whole: FieldType, part: string): FieldType {
  if (part === 'until' || part === 'from') return whole === 'dayRange' ? 'day' : whole === 'timeRange' ? 'time' : 'unknown';
  return PART_TYPES[part] ?? (whole === 'address' ? 'text' : 'unknown');
}
