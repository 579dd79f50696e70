/** Pipedrive's API as Dealbell needs it, over the official SDK (v1 and v2): the only file that names its operations. */

import * as v1 from 'pipedrive/v1';
import * as v2 from 'pipedrive/v2';
import { isObject, type RecordEntity, type RecordState, type WebhookEntity } from '../core/record';
import {
  activityTypeAsWebhook,
  addedWebhookAnswer,
  anyAnswer,
  currentUserAnswer,
  dealsSummaryAnswer,
  fieldAsWebhook,
  listedAsWebhook,
  leadLabelAsWebhook,
  oneAnswer,
  pageAnswer,
  pipelineAsWebhook,
  recordAsWebhook,
  stageAsWebhook,
  startedPageAnswer,
  userAsWebhook,
  webhooksAnswer,
  type CurrencySum,
  type CurrentUser,
  type ListedWebhook,
  type RecordPage,
} from './pipedrive-answers';
import { makePipedriveCall, type ApiAccess, type ApiCall, type Sdk } from './pipedrive-call';
import type { ApiResult } from './pipedrive-failure';

export interface NewWebhook {
  readonly eventObject: WebhookEntity;
  readonly subscriptionUrl: string;
  readonly name: string;
  readonly authUser: string;
  readonly authPassword: string;
}

export interface ChangedPage {
  readonly updatedSince: Date;
  readonly cursor: string | null;
}

/** Archived deals stand in a list of their own. */
export type ChangedList = RecordEntity | 'archivedDeal';

/** What a page of changed records takes from the company's daily budget. */
export const LIST_COST: Readonly<Record<ChangedList, number>> = {
  ...{ deal: 10, archivedDeal: 20, person: 10, organization: 10, activity: 10 },
  ...{ lead: 20, note: 20 },
};

/** Records come with the field names of webhooks v2. Nothing here throws: every failure is a value. */
export interface PipedriveApi {
  getCurrentUser(): Promise<ApiResult<CurrentUser>>;
  listUsers(): Promise<ApiResult<readonly RecordState[]>>;
  getUser(id: number): Promise<ApiResult<RecordState>>;
  listPipelines(): Promise<ApiResult<readonly RecordState[]>>;
  getPipeline(id: number): Promise<ApiResult<RecordState>>;
  listStages(): Promise<ApiResult<readonly RecordState[]>>;
  getStage(id: number): Promise<ApiResult<RecordState>>;
  listDealFields(): Promise<ApiResult<readonly RecordState[]>>;
  listPersonFields(): Promise<ApiResult<readonly RecordState[]>>;
  listOrganizationFields(): Promise<ApiResult<readonly RecordState[]>>;
  listActivityFields(): Promise<ApiResult<readonly RecordState[]>>;
  listLeadLabels(): Promise<ApiResult<readonly RecordState[]>>;
  getDealField(key: string): Promise<ApiResult<RecordState>>;
  /** `id` of each is its key, such as `call`. */
  listActivityTypes(): Promise<ApiResult<readonly RecordState[]>>;
  getDeal(id: number): Promise<ApiResult<RecordState>>;
  /** The sums of all deals that are not archived, by currency. */
  getDealsSummary(): Promise<ApiResult<readonly CurrencySum[]>>;
  getPerson(id: number): Promise<ApiResult<RecordState>>;
  getOrganization(id: number): Promise<ApiResult<RecordState>>;
  getActivity(id: number): Promise<ApiResult<RecordState>>;
  getLead(id: string): Promise<ApiResult<RecordState>>;
  /**
   * One page of the records that were changed since then, longest ago first; `cursor` is the `nextCursor` of the page before. Deals that
   * were deleted (or merged into others: nothing tells them apart) are among them for 30 days, as `is_deleted`. Not in it: other records
   * that were deleted, and archived leads. Custom fields of deals are bare values, which only the definitions of the fields tell apart.
   */
  listChanged(list: ChangedList, page: ChangedPage): Promise<ApiResult<RecordPage>>;
  listWebhooks(): Promise<ApiResult<readonly ListedWebhook[]>>;
  /** Gives Pipedrive's id of the new webhook. */
  addWebhook(webhook: NewWebhook): Promise<ApiResult<number>>;
  deleteWebhook(remoteId: number): Promise<ApiResult<boolean>>;
}

const PAGE_SIZE = 500;
/** A bound on paging: 10,000 pipelines, stages or fields. */
const MOST_PAGES = 20;

const users = (sdk: Sdk) => v1.UsersApiFactory(sdk.v1, undefined, sdk.http);
const activityTypes = (sdk: Sdk) => v1.ActivityTypesApiFactory(sdk.v1, undefined, sdk.http);
const leads = (sdk: Sdk) => v1.LeadsApiFactory(sdk.v1, undefined, sdk.http);
const dealSums = (sdk: Sdk) => v1.DealsApiFactory(sdk.v1, undefined, sdk.http);
const notes = (sdk: Sdk) => v1.NotesApiFactory(sdk.v1, undefined, sdk.http);
const webhooks = (sdk: Sdk) => v1.WebhooksApiFactory(sdk.v1, undefined, sdk.http);
const pipelines = (sdk: Sdk) => v2.PipelinesApiFactory(sdk.v2, undefined, sdk.http);
const stages = (sdk: Sdk) => v2.StagesApiFactory(sdk.v2, undefined, sdk.http);
const dealFields = (sdk: Sdk) => v2.DealFieldsApiFactory(sdk.v2, undefined, sdk.http);
const personFields = (sdk: Sdk) => v2.PersonFieldsApiFactory(sdk.v2, undefined, sdk.http);
const organizationFields = (sdk: Sdk) => v2.OrganizationFieldsApiFactory(sdk.v2, undefined, sdk.http);
const activityFields = (sdk: Sdk) => v2.ActivityFieldsApiFactory(sdk.v2, undefined, sdk.http);
const leadLabels = (sdk: Sdk) => v1.LeadLabelsApiFactory(sdk.v1, undefined, sdk.http);
const deals = (sdk: Sdk) => v2.DealsApiFactory(sdk.v2, undefined, sdk.http);
const persons = (sdk: Sdk) => v2.PersonsApiFactory(sdk.v2, undefined, sdk.http);
const organizations = (sdk: Sdk) => v2.OrganizationsApiFactory(sdk.v2, undefined, sdk.http);
const activities = (sdk: Sdk) => v2.ActivitiesApiFactory(sdk.v2, undefined, sdk.http);

/** One connection's view of the API. Token costs are Pipedrive's (OpenAPI `x-token-cost`). */
export function makePipedriveApi(access: ApiAccess): PipedriveApi {
  const call = makePipedriveCall(access);
  const one = (
    operation: string,
    tokenCost: number,
    send: (sdk: Sdk) => Promise<unknown>,
    asWebhook: (raw: RecordState) => RecordState = recordAsWebhook,
  ) => call({ operation, tokenCost, answer: oneAnswer(asWebhook), send });
  const all = (
    operation: string,
    tokenCost: number,
    send: (sdk: Sdk, page: { limit: number; cursor?: string }) => Promise<unknown>,
    asWebhook: (raw: RecordState) => RecordState,
  ) => allPages((page) => call({ operation, tokenCost, answer: pageAnswer(asWebhook), send: (sdk) => send(sdk, page) }));

  return {
    getCurrentUser: () =>
      call({ operation: 'getCurrentUser', tokenCost: 2, answer: currentUserAnswer, send: (sdk) => users(sdk).getCurrentUser() }),
    listUsers: () => all('listUsers', 20, (sdk) => users(sdk).getUsers(), userAsWebhook),
    getUser: (id) => one('getUser', 2, (sdk) => users(sdk).getUser({ id }), userAsWebhook),
    listPipelines: () => all('listPipelines', 5, (sdk, page) => pipelines(sdk).getPipelines(page), pipelineAsWebhook),
    getPipeline: (id) => one('getPipeline', 1, (sdk) => pipelines(sdk).getPipeline({ id }), pipelineAsWebhook),
    listStages: () => all('listStages', 5, (sdk, page) => stages(sdk).getStages(page), stageAsWebhook),
    getStage: (id) => one('getStage', 1, (sdk) => stages(sdk).getStage({ id }), stageAsWebhook),
    listDealFields: () => all('listDealFields', 10, (sdk, page) => dealFields(sdk).getDealFields(page), fieldAsWebhook),
    listPersonFields: () => all('listPersonFields', 10, (sdk, page) => personFields(sdk).getPersonFields(page), fieldAsWebhook),
    listOrganizationFields: () =>
      all('listOrganizationFields', 10, (sdk, page) => organizationFields(sdk).getOrganizationFields(page), fieldAsWebhook),
    listActivityFields: () =>
      all('listActivityFields', 10, (sdk, page) => activityFields(sdk).getActivityFields(page), fieldAsWebhook),
    listLeadLabels: () => all('listLeadLabels', 10, (sdk) => leadLabels(sdk).getLeadLabels(), leadLabelAsWebhook),
    getDealField: (key) => one('getDealField', 1, (sdk) => dealFields(sdk).getDealField({ field_code: key }), fieldAsWebhook),
    listActivityTypes: () => all('listActivityTypes', 20, (sdk) => activityTypes(sdk).getActivityTypes(), activityTypeAsWebhook),
    getDeal: (id) => one('getDeal', 1, (sdk) => deals(sdk).getDeal({ id })),
    getDealsSummary: () =>
      call({
        operation: 'getDealsSummary',
        tokenCost: 40,
        answer: dealsSummaryAnswer,
        send: (sdk) => dealSums(sdk).getDealsSummary(),
      }),
    getPerson: (id) => one('getPerson', 1, (sdk) => persons(sdk).getPerson({ id })),
    getOrganization: (id) => one('getOrganization', 1, (sdk) => organizations(sdk).getOrganization({ id })),
    getActivity: (id) => one('getActivity', 1, (sdk) => activities(sdk).getActivity({ id })),
    getLead: (id) => one('getLead', 2, (sdk) => leads(sdk).getLead({ id })),
    listChanged: (list, page) => {
      const tokenCost = LIST_COST[list];
      return call({ operation: `listChanged ${list}`, tokenCost, ...changedList(list, page) });
    },
    listWebhooks: () =>
      call({ operation: 'listWebhooks', tokenCost: 10, answer: webhooksAnswer, send: (sdk) => webhooks(sdk).getWebhooks() }),
    addWebhook: (webhook) =>
      call({
        operation: 'addWebhook',
        tokenCost: 10,
        answer: addedWebhookAnswer,
        send: (sdk) => webhooks(sdk).addWebhook({ AddWebhookRequest: requestFor(webhook) }),
      }),
    deleteWebhook: (remoteId) =>
      call({
        operation: 'deleteWebhook',
        tokenCost: 6,
        answer: anyAnswer,
        send: (sdk) => webhooks(sdk).deleteWebhook({ id: remoteId }),
      }),
  };
}

/** The SDK's own parameter takes a single status, Pipedrive a list. `sdk` is made for this call alone. */
function askingForDeleted(sdk: Sdk): Sdk {
  const baseOptions: unknown = sdk.v2.baseOptions;
  const params = { status: 'open,won,lost,deleted' };
  return { ...sdk, v2: Object.assign(sdk.v2, { baseOptions: { ...(isObject(baseOptions) ? baseOptions : {}), params } }) };
}

function changedList(list: ChangedList, { updatedSince, cursor }: ChangedPage): Pick<ApiCall<RecordPage>, 'answer' | 'send'> {
  const since = { updated_since: `${updatedSince.toISOString().slice(0, 19)}Z` };
  const v2Page = {
    ...{ ...since, sort_by: 'update_time' as const, sort_direction: 'asc' as const, limit: PAGE_SIZE },
    ...(cursor === null ? {} : { cursor }),
  };
  const start = Number(cursor ?? 0);
  const v1Page = { ...since, limit: PAGE_SIZE, start };
  const answer = pageAnswer(listedAsWebhook);
  const startedAnswer = startedPageAnswer(start, PAGE_SIZE, recordAsWebhook);
  const dealPage = { ...v2Page, include_fields: 'source_lead_id' as const };
  switch (list) {
    case 'deal':
      return { answer, send: (sdk) => deals(askingForDeleted(sdk)).getDeals(dealPage) };
    case 'archivedDeal':
      return { answer, send: (sdk) => deals(askingForDeleted(sdk)).getArchivedDeals(dealPage) };
    case 'person':
      return { answer, send: (sdk) => persons(sdk).getPersons(v2Page) };
    case 'organization':
      return { answer, send: (sdk) => organizations(sdk).getOrganizations(v2Page) };
    case 'activity':
      return { answer, send: (sdk) => activities(sdk).getActivities(v2Page) };
    case 'lead':
      return { answer: startedAnswer, send: (sdk) => leads(sdk).getLeads({ ...v1Page, sort: 'update_time' }) };
    case 'note':
      return { answer: startedAnswer, send: (sdk) => notes(sdk).getNotes({ ...v1Page, sort: 'update_time ASC' }) };
    default:
      return list satisfies never;
  }
}

function requestFor(webhook: NewWebhook): v1.AddWebhookRequest {
  return {
    subscription_url: webhook.subscriptionUrl,
    event_action: '*',
    event_object: webhook.eventObject,
    name: webhook.name,
    http_auth_user: webhook.authUser,
    http_auth_password: webhook.authPassword,
    version: '2.0',
  };
}

type PageRequest = { limit: number; cursor?: string };

async function allPages(
  getPage: (page: PageRequest) => Promise<ApiResult<RecordPage>>,
): Promise<ApiResult<readonly RecordState[]>> {
  const records: RecordState[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer: ApiResult<RecordPage> = await getPage(cursor === null ? { limit: PAGE_SIZE } : { limit: PAGE_SIZE, cursor });
    if (!answer.ok) return answer;
    records.push(...answer.value.records);
    cursor = answer.value.nextCursor;
    if (cursor === null) break;
  }
  return { ok: true, value: records };
}
