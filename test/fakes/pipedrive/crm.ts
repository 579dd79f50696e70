/** The stand-in's CRM: every way a test or a person changes it; each change is told to whoever listens (the webhook sender). */
import { createHash } from 'node:crypto';
import type {
  ActivityRecord,
  Company,
  CustomFieldDefinition,
  DealRecord,
  FieldOwner,
  LeadRecord,
  NoteRecord,
  OrganizationRecord,
  PersonRecord,
  PipelineRecord,
  StageRecord,
  UserRecord,
} from './crm-records';
import type { ChangeOptions, CrmEvent, EntityActions, EntityKind } from './entity-actions';
import { makeEntityActions } from './entity-actions';
import {
  activityKind,
  dealKind,
  leadKind,
  noteKind,
  organizationKind,
  personKind,
  pipelineKind,
  stageKind,
  userKind,
} from './entity-kinds';
import {
  newActivity,
  newDeal,
  newLead,
  newNote,
  newOrganization,
  newPerson,
  newPipeline,
  newStage,
  newUser,
} from './new-records';
import type { Ids } from './ids';

type Create<R> = (companyId: number, fields?: Partial<R>, options?: ChangeOptions) => R;
type Change<R extends { readonly id: number | string }> = (id: R['id'], changes: Partial<R>, options?: ChangeOptions) => R;
type Remove<R extends { readonly id: number | string }> = (id: R['id'], options?: ChangeOptions) => R;
type Merge<R> = (fromId: number, toId: number, options?: ChangeOptions) => R;

/** How a lead becomes a deal: it is deleted (default) or archived, before the deal appears or after; the deal may name it. */
export type ConvertOptions = ChangeOptions & {
  readonly archive?: boolean;
  readonly dealFirst?: boolean;
  readonly nameLead?: boolean;
};

export type Crm = {
  readonly companies: ReadonlyMap<number, Company>;
  createDeal: Create<DealRecord>;
  updateDeal: Change<DealRecord>;
  deleteDeal: Remove<DealRecord>;
  mergeDeals: Merge<DealRecord>;
  createLead: Create<LeadRecord>;
  updateLead: Change<LeadRecord>;
  deleteLead: Remove<LeadRecord>;
  /** The lead goes and a deal with its title, value and contacts comes, both with one correlation id. Returns the deal. */
  convertLead(leadId: string, options?: ConvertOptions): DealRecord;
  createPerson: Create<PersonRecord>;
  updatePerson: Change<PersonRecord>;
  deletePerson: Remove<PersonRecord>;
  mergePersons: Merge<PersonRecord>;
  createOrganization: Create<OrganizationRecord>;
  updateOrganization: Change<OrganizationRecord>;
  deleteOrganization: Remove<OrganizationRecord>;
  mergeOrganizations: Merge<OrganizationRecord>;
  createActivity: Create<ActivityRecord>;
  updateActivity: Change<ActivityRecord>;
  deleteActivity: Remove<ActivityRecord>;
  createNote: Create<NoteRecord>;
  updateNote: Change<NoteRecord>;
  deleteNote: Remove<NoteRecord>;
  createPipeline: Create<PipelineRecord>;
  updatePipeline: Change<PipelineRecord>;
  renamePipeline(id: number, name: string, options?: ChangeOptions): PipelineRecord;
  deletePipeline: Remove<PipelineRecord>;
  createStage: Create<StageRecord>;
  updateStage: Change<StageRecord>;
  renameStage(id: number, name: string, options?: ChangeOptions): StageRecord;
  deleteStage: Remove<StageRecord>;
  createUser: Create<UserRecord>;
  updateUser: Change<UserRecord>;
  renameUser(id: number, name: string, options?: ChangeOptions): UserRecord;
  /** What Pipedrive calls deleting a user: a change of `active_flag` to false. */
  deactivateUser(id: number, options?: ChangeOptions): UserRecord;
  /** Adds a custom field (no webhook tells of it); `code` defaults to a 40-hex key made of the name. */
  addCustomField(
    companyId: number,
    owner: FieldOwner,
    field: Pick<CustomFieldDefinition, 'name' | 'type'> & Partial<CustomFieldDefinition>,
  ): CustomFieldDefinition;
  /** Other options or another name; no webhook tells of it. */
  changeCustomField(
    companyId: number,
    owner: FieldOwner,
    code: string,
    changes: Partial<Pick<CustomFieldDefinition, 'name' | 'options'>>,
  ): void;
  /** No webhook tells of it. Gives the field, so that it can be added again. */
  removeCustomField(companyId: number, owner: FieldOwner, code: string): CustomFieldDefinition;
  /** One unit of the company's own currency buys so many of the given one; null forgets the rate. */
  setRate(companyId: number, currency: string, unitsPerOwnUnit: number | null): void;
  company(companyId: number): Company;
};

type Needs = { companies: Map<number, Company>; clock: () => Date; ids: Ids; emit: (event: CrmEvent) => void };
type Numbered = { readonly id: number };

export function makeCrm({ companies, clock, ids, emit }: Needs): Crm {
  const actionsFor = <R extends { readonly id: number | string }>(kind: EntityKind<R>): EntityActions<R> =>
    makeEntityActions({ kind, companies, clock, newUuid: ids.uuid, emit });
  const deals = actionsFor(dealKind);
  const leads = actionsFor(leadKind);
  const persons = actionsFor(personKind);
  const organizations = actionsFor(organizationKind);
  const activities = actionsFor(activityKind);
  const notes = actionsFor(noteKind);
  const pipelines = actionsFor(pipelineKind);
  const stages = actionsFor(stageKind);
  const users = actionsFor(userKind);

  function company(companyId: number): Company {
    const found = companies.get(companyId);
    if (found === undefined) throw new Error(`the stand-in has no company ${companyId}`);
    return found;
  }

  function fieldIndex(companyId: number, owner: FieldOwner, code: string): number {
    const at = company(companyId).customFields[owner].findIndex((field) => field.code === code);
    if (at < 0) throw new Error(`the stand-in has no custom field ${code}`);
    return at;
  }

  type Make<R> = (fresh: { company: Company; id: number; now: Date; fields: Partial<R> }) => R;
  const creator =
    <R extends Numbered>(actions: EntityActions<R>, entity: string, make: Make<R>): Create<R> =>
    (companyId, fields = {}, options = {}) => {
      const owner = company(companyId);
      const id = fields.id ?? ids.next(entity);
      return actions.add(owner, make({ company: owner, id, now: options.at ?? clock(), fields }), options);
    };

  const createDeal = creator(deals, 'deal', newDeal);
  const createLead: Create<LeadRecord> = (companyId, fields = {}, options = {}) => {
    const owner = company(companyId);
    return leads.add(
      owner,
      newLead({ company: owner, id: fields.id ?? ids.uuid(), now: options.at ?? clock(), fields }),
      options,
    );
  };

  function convertLead(leadId: string, options: ConvertOptions = {}): DealRecord {
    const { company: owner, record: lead } = leads.find(leadId, options.companyId);
    const shared: ChangeOptions = { ...options, companyId: owner.id, correlationId: options.correlationId ?? ids.uuid() };
    const endLead = (): LeadRecord =>
      options.archive === true ? leads.change(leadId, { is_archived: true }, shared) : leads.remove(leadId, shared);
    const startDeal = (): DealRecord => {
      const fields = { ...dealOfLead(lead), ...(options.nameLead === true ? { origin_id: leadId } : {}) };
      const deal = createDeal(owner.id, fields, shared);
      owner.sourceLeads.set(deal.id, leadId);
      return deal;
    };
    if (options.dealFirst === true) {
      const deal = startDeal();
      endLead();
      return deal;
    }
    endLead();
    return startDeal();
  }

  return {
    companies,
    company,
    createDeal,
    updateDeal: deals.change,
    deleteDeal: deals.remove,
    mergeDeals: deals.merge,
    createLead,
    updateLead: leads.change,
    deleteLead: leads.remove,
    convertLead,
    createPerson: creator(persons, 'person', newPerson),
    updatePerson: persons.change,
    deletePerson: persons.remove,
    mergePersons: persons.merge,
    createOrganization: creator(organizations, 'organization', newOrganization),
    updateOrganization: organizations.change,
    deleteOrganization: organizations.remove,
    mergeOrganizations: organizations.merge,
    createActivity: creator(activities, 'activity', newActivity),
    updateActivity: activities.change,
    deleteActivity: activities.remove,
    createNote: creator(notes, 'note', newNote),
    updateNote: notes.change,
    deleteNote: notes.remove,
    createPipeline: creator(pipelines, 'pipeline', newPipeline),
    updatePipeline: pipelines.change,
    renamePipeline: (id, name, options) => pipelines.change(id, { name, url_title: name.replaceAll(' ', '-') }, options),
    deletePipeline: pipelines.remove,
    createStage: creator(stages, 'stage', newStage),
    updateStage: stages.change,
    renameStage: (id, name, options) => stages.change(id, { name }, options),
    deleteStage: stages.remove,
    createUser: creator(users, 'user', newUser),
    updateUser: users.change,
    renameUser: (id, name, options) => users.change(id, { name }, options),
    deactivateUser: (id, options) => users.change(id, { active_flag: false }, options),
    addCustomField(companyId, owner, field) {
      const definition: CustomFieldDefinition = { code: customFieldCode(companyId, owner, field.name), options: null, ...field };
      company(companyId).customFields[owner].push(definition);
      return definition;
    },
    changeCustomField(companyId, owner, code, changes) {
      const at = fieldIndex(companyId, owner, code);
      const fields = company(companyId).customFields[owner];
      fields.splice(at, 1, ...fields.slice(at, at + 1).map((field) => ({ ...field, ...changes })));
    },
    removeCustomField(companyId, owner, code) {
      const [removed] = company(companyId).customFields[owner].splice(fieldIndex(companyId, owner, code), 1);
      if (removed === undefined) throw new Error(`the stand-in has no custom field ${code}`);
      return removed;
    },
    setRate(companyId, currency, unitsPerOwnUnit) {
      if (unitsPerOwnUnit === null) company(companyId).rates.delete(currency);
      else company(companyId).rates.set(currency, unitsPerOwnUnit);
    },
  };
}

/** The 40-hex key that a custom field of this name gets in a company. */
export function customFieldCode(companyId: number, owner: FieldOwner, name: string): string {
  return createHash('sha1').update(`${companyId}:${owner}:${name}`).digest('hex');
}

function dealOfLead(lead: LeadRecord): Partial<DealRecord> {
  return {
    title: lead.title,
    owner_id: lead.owner_id,
    creator_user_id: lead.owner_id,
    person_id: lead.person_id,
    org_id: lead.organization_id,
    custom_fields: lead.custom_fields,
    expected_close_date: lead.expected_close_date,
    ...(lead.value === null ? {} : { value: lead.value.amount, currency: lead.value.currency }),
  };
}
