/** The vocabulary of the stand-in's CRM: records in the shape of Pipedrive's webhooks v2, companies and tables. */

export type CustomValue = { readonly type: string; readonly [key: string]: unknown };
export type CustomFields = Readonly<Record<string, CustomValue | null>>;
export type ContactEntry = { readonly value: string; readonly primary: boolean; readonly label: string };
export type Money = { readonly amount: number; readonly currency: string };
export type DealStatus = 'open' | 'won' | 'lost';
/** '1' = owner (and admins) only, '3' = everybody in the company. */
export type Visibility = '1' | '3';

export type DealRecord = {
  readonly add_time: string;
  readonly channel: number | null;
  readonly channel_id: string | null;
  readonly close_time: string | null;
  readonly creator_user_id: number;
  readonly currency: string;
  readonly custom_fields: CustomFields;
  readonly expected_close_date: string | null;
  readonly first_won_time: string | null;
  readonly id: number;
  readonly label_ids: readonly number[];
  readonly lost_reason: string | null;
  readonly lost_time: string | null;
  readonly org_id: number | null;
  readonly origin: string;
  readonly origin_id: string | null;
  readonly owner_id: number;
  readonly person_id: number | null;
  readonly pipeline_id: number;
  readonly probability: number | null;
  readonly stage_change_time: string | null;
  readonly stage_id: number;
  readonly status: DealStatus;
  readonly title: string;
  readonly update_time: string | null;
  readonly value: number;
  readonly visible_to: Visibility;
  readonly won_time: string | null;
  readonly is_archived: boolean;
  readonly archive_time: string | null;
};

export type LeadRecord = {
  readonly add_time: string;
  readonly channel: number | null;
  readonly channel_id: string | null;
  readonly creator_id: number;
  readonly custom_fields: CustomFields;
  readonly expected_close_date: string | null;
  readonly id: string;
  readonly is_archived: boolean;
  readonly label_ids: readonly string[];
  readonly next_activity_id: number | null;
  readonly organization_id: number | null;
  readonly origin: string;
  readonly origin_id: string | null;
  readonly owner_id: number;
  readonly person_id: number | null;
  readonly source_name: string;
  readonly title: string;
  readonly update_time: string;
  readonly was_seen: boolean;
  readonly value: Money | null;
};

export type PersonRecord = {
  readonly add_time: string;
  readonly custom_fields: CustomFields;
  readonly emails: readonly ContactEntry[];
  readonly first_name: string | null;
  readonly id: number;
  readonly label: number | null;
  readonly label_ids: readonly number[];
  readonly last_name: string | null;
  readonly name: string;
  readonly org_id: number | null;
  readonly owner_id: number;
  readonly phones: readonly ContactEntry[];
  readonly update_time: string | null;
  readonly visible_to: Visibility;
};

export type Address = {
  readonly value: string;
  readonly country: string;
  readonly locality: string;
  readonly postal_code: string;
  readonly route: string;
};

export type OrganizationRecord = {
  readonly add_time: string;
  readonly address: Address | null;
  readonly country_code: string | null;
  readonly custom_fields: CustomFields;
  readonly id: number;
  readonly label: number | null;
  readonly label_ids: readonly number[];
  readonly name: string;
  readonly owner_id: number;
  readonly picture_id: number | null;
  readonly update_time: string | null;
  readonly visible_to: Visibility;
};

export type ClockTime = { readonly timezone_id: number | null; readonly value: string };

export type ActivityRecord = {
  readonly active_flag: boolean;
  readonly add_time: string;
  readonly busy_flag: boolean | null;
  readonly custom_fields: CustomFields;
  readonly deal_id: number | null;
  readonly done: boolean;
  readonly due_date: string | null;
  readonly due_time: ClockTime | null;
  readonly duration: ClockTime | null;
  readonly id: number;
  readonly lead_id: string | null;
  readonly location: Address | null;
  readonly org_id: number | null;
  readonly owner_id: number;
  readonly person_id: number | null;
  readonly public_description: string;
  readonly subject: string;
  readonly type: string;
  readonly update_time: string;
  readonly update_user_id: number | null;
};

export type NoteRecord = {
  readonly id: number;
  readonly user_id: number;
  readonly deal_id: number | null;
  readonly person_id: number | null;
  readonly org_id: number | null;
  readonly lead_id: string | null;
  readonly project_id: number | null;
  readonly active_flag: boolean;
  readonly content: string;
  readonly add_time: string;
  readonly update_time: string;
  readonly pinned_to_deal_flag: boolean;
  readonly pinned_to_person_flag: boolean;
  readonly pinned_to_organization_flag: boolean;
};

export type PipelineRecord = {
  readonly id: number;
  readonly name: string;
  readonly url_title: string;
  readonly order_nr: number;
  readonly active_flag: boolean;
  readonly deal_probability: boolean;
  readonly add_time: string;
  readonly update_time: string;
};

export type StageRecord = {
  readonly id: number;
  readonly name: string;
  readonly active_flag: boolean;
  readonly rotten_days: number | null;
  readonly order_nr: number;
  readonly deal_probability: number;
  readonly rotten_flag: boolean;
  readonly add_time: string;
  readonly pipeline_id: number;
  readonly update_time: string;
};

export type UserAccess = { readonly app: string; readonly admin: boolean; readonly permission_set_id: string };

export type UserRecord = {
  readonly id: number;
  readonly default_currency: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string | null;
  readonly locale: string;
  readonly lang: number;
  readonly active_flag: boolean;
  readonly last_login: string;
  readonly timezone_name: string;
  readonly timezone_offset: string;
  readonly icon_url: string | null;
  readonly created: string;
  readonly modified: string;
  readonly access: readonly UserAccess[];
};

export type FieldOption = { readonly id: number; readonly label: string; readonly color: string | null };
export type CustomFieldDefinition = {
  readonly code: string;
  readonly name: string;
  readonly type: string;
  readonly options: readonly FieldOption[] | null;
};
export type FieldOwner = 'deal' | 'person' | 'organization';
export type LeadLabel = {
  readonly id: string;
  readonly name: string;
  readonly color: string;
  readonly add_time: string;
  readonly update_time: string;
};

/** Live rows by id, and the deleted ones, which Pipedrive's API still shows for a while. */
export type Table<R extends { readonly id: number | string }> = {
  readonly live: Map<R['id'], R>;
  readonly deleted: Map<R['id'], R>;
};

export type Company = {
  readonly id: number;
  readonly name: string;
  readonly domain: string;
  readonly country: string;
  readonly industry: string;
  readonly currency: string;
  /** How many units of a currency one unit of the company's own currency buys. */
  readonly rates: Map<string, number>;
  readonly users: Table<UserRecord>;
  readonly pipelines: Table<PipelineRecord>;
  readonly stages: Table<StageRecord>;
  readonly deals: Table<DealRecord>;
  readonly leads: Table<LeadRecord>;
  readonly persons: Table<PersonRecord>;
  readonly organizations: Table<OrganizationRecord>;
  readonly activities: Table<ActivityRecord>;
  readonly notes: Table<NoteRecord>;
  readonly customFields: Record<FieldOwner, CustomFieldDefinition[]>;
  readonly labels: Record<FieldOwner, FieldOption[]>;
  readonly leadLabels: LeadLabel[];
  /** Deal id to the id of the lead it was made of; API v2 shows it as `source_lead_id`. */
  readonly sourceLeads: Map<number, string>;
};

export function makeTable<R extends { readonly id: number | string }>(): Table<R> {
  return { live: new Map<R['id'], R>(), deleted: new Map<R['id'], R>() };
}

/** Whether a user has admin rights for deals or everything. */
export function isAdmin(user: UserRecord): boolean {
  return user.access.some((access) => access.admin && (access.app === 'global' || access.app === 'sales'));
}

/** Ids of the active users who may see a record, ascending. */
export function usersWhoMaySee(company: Company, ownerId: number, visibleTo: Visibility): number[] {
  return [...company.users.live.values()]
    .filter((user) => user.active_flag && (visibleTo === '3' || user.id === ownerId || isAdmin(user)))
    .map((user) => user.id)
    .sort((left, right) => left - right);
}

/** `2026-11-01T10:00:00Z`, as deals and most records have it. */
export function isoSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** `2026-11-01 10:00:00`, as users and API v1 have it. */
export function sqlSeconds(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}
