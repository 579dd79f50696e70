/** Every API answer of the stand-in Pipedrive fits the response schema in Pipedrive's own OpenAPI files. */
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { z } from 'zod';
import type { FakePipedrive } from '../../fakes/pipedrive/fake-pipedrive';
import { startFakePipedrive } from '../../fakes/pipedrive/fake-pipedrive';
import { DEMO_COMPANY_ID } from '../../fakes/pipedrive/seed-crm';
import { sharedDataPath } from '../../support/shared-data';

type Version = 'v1' | 'v2';
type JsonObject = Record<string, unknown>;

/** The spec calls these strings, numbers or objects; real answers have null when the value is not set (see the samples). */
const NULL_WHEN_UNSET = new Set([
  'person_id',
  'org_id',
  'lead_id',
  'project_id',
  'stage_change_time',
  'won_time',
  'lost_time',
  'expected_close_date',
  'due_time',
  'duration',
  'marked_as_done_time',
  'location',
  'address',
  'picture_id',
  'conference_meeting_client',
  'conference_meeting_url',
  'conference_meeting_id',
  'priority',
  'note',
  'next_cursor',
  'person',
  'organization',
  'project',
  'icon_url',
  'last_update_user_id',
]);

/** What the spec lists and the stand-in leaves out: contact sync and visibility details that no test needs. */
const LEFT_OUT = new Set([
  'postal_address',
  'notes',
  'im',
  'birthday',
  'job_title',
  'description',
  'ui_visibility',
  'important_fields',
  'required_fields',
  'source_deal_id',
  'task_id',
  'task',
  'pinned_to_task_flag',
]);

const spec = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
const operation = z.object({
  responses: z.record(
    z.string(),
    z.object({ content: z.object({ 'application/json': z.object({ schema: z.record(z.string(), z.unknown()) }) }) }).partial(),
  ),
});
const webhookAnswer = z.object({ data: z.object({ id: z.number() }) });

const files = { v1: sharedDataPath('pipedrive/openapi/v1.json'), v2: sharedDataPath('pipedrive/openapi/v2.json') };
const describeWithSpec = files.v1 === null || files.v2 === null ? describe.skip : describe;

describeWithSpec('answers of the stand-in Pipedrive', () => {
  const specs = { v1: readSpec(files.v1), v2: readSpec(files.v2) };
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  let fake: FakePipedrive;
  let headers: Record<string, string>;

  beforeAll(async () => {
    fake = await startFakePipedrive();
    const [adminId = 0] = [...fake.company(DEMO_COMPANY_ID).users.live.keys()];
    headers = { 'x-api-token': fake.apiToken(DEMO_COMPANY_ID, adminId), 'content-type': 'application/json' };
    const [open = 0, won = 0, lost = 0] = [...fake.company(DEMO_COMPANY_ID).deals.live.keys()];
    fake.updateDeal(won, { status: 'won', label_ids: [24], custom_fields: customValues() });
    fake.updateDeal(lost, { status: 'lost', lost_reason: 'Price' });
    fake.createActivity(DEMO_COMPANY_ID, { deal_id: open, done: true, due_time: { timezone_id: null, value: '10:00:00' } });
  });

  afterAll(async () => {
    await fake.close();
  });

  function customValues(): Record<string, { type: string }> {
    const [source, interests, next, , fee] = fake.company(DEMO_COMPANY_ID).customFields.deal;
    return {
      [source?.code ?? '']: { type: 'enum', ...{ id: 41 } },
      [interests?.code ?? '']: { type: 'set', ...{ values: [{ id: 51 }, { id: 52 }] } },
      [next?.code ?? '']: { type: 'varchar', ...{ value: 'Call back' } },
      [fee?.code ?? '']: { type: 'monetary', ...{ value: 200, currency: 'EUR' } },
    };
  }

  async function ask(version: Version, path: string, method = 'GET', body?: unknown): Promise<{ status: number; json: unknown }> {
    const answer = await fetch(`${fake.url}/api/${version}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: await answer.json() };
  }

  function schemaOf(version: Version, path: string, method: string, status: number): JsonObject {
    const found = operation.parse(specs[version].paths[path]?.[method.toLowerCase()]).responses[String(status)]?.content?.[
      'application/json'
    ].schema;
    if (found === undefined) throw new Error(`the spec has no ${method} ${path} ${status}`);
    return found;
  }

  function problems(version: Version, path: string, method: string, answer: { status: number; json: unknown }): string[] {
    const validate = ajv.compile(asJsonSchema(schemaOf(version, path, method, answer.status)));
    return validate(answer.json) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`);
  }

  const leadId = (): string => [...fake.company(DEMO_COMPANY_ID).leads.live.keys()][0] ?? '';
  const idOf =
    (table: 'users' | 'notes' | 'deals' | 'persons' | 'organizations' | 'activities' | 'pipelines' | 'stages') => (): string =>
      String(
        [...fake.company(DEMO_COMPANY_ID)[table].live.keys()][1] ?? [...fake.company(DEMO_COMPANY_ID)[table].live.keys()][0],
      );
  const none = (): string => '';

  test.each([
    ['v1', '/users/me', none],
    ['v1', '/users', none],
    ['v1', '/users/{id}', idOf('users')],
    ['v1', '/leads', none],
    ['v1', '/leads/{id}', leadId],
    ['v1', '/leadLabels', none],
    ['v1', '/notes', none],
    ['v1', '/notes/{id}', idOf('notes')],
    ['v1', '/activityTypes', none],
    ['v1', '/currencies', none],
    ['v2', '/deals', none],
    ['v2', '/deals/{id}', idOf('deals')],
    ['v2', '/persons', none],
    ['v2', '/persons/{id}', idOf('persons')],
    ['v2', '/organizations', none],
    ['v2', '/organizations/{id}', idOf('organizations')],
    ['v2', '/activities', none],
    ['v2', '/activities/{id}', idOf('activities')],
    ['v2', '/pipelines', none],
    ['v2', '/pipelines/{id}', idOf('pipelines')],
    ['v2', '/stages', none],
    ['v2', '/stages/{id}', idOf('stages')],
    ['v2', '/dealFields', none],
    ['v2', '/personFields', none],
    ['v2', '/organizationFields', none],
  ] as const)('when %s %s is read, then the answer fits the spec and has its keys', async (version, path, id) => {
    const answer = await ask(version, path.replace('{id}', id()));

    const wantedKeys = recordKeys(schemaOf(version, path, 'GET', 200)).filter((key) => !LEFT_OUT.has(key));
    expect(answer.status).toBe(200);
    expect(problems(version, path, 'GET', answer)).toEqual([]);
    expect(wantedKeys.length).toBeGreaterThan(3);
    expect(wantedKeys.filter((key) => !answerKeys(answer.json).includes(key))).toEqual([]);
  });

  test('when deals are summed, then the answer fits the spec, and so does each currency', async () => {
    const answer = await ask('v1', '/deals/summary?status=open');

    const perCurrency = z
      .object({
        value: z.number(),
        count: z.number().int(),
        value_converted: z.number(),
        value_formatted: z.string(),
        value_converted_formatted: z.string(),
      })
      .strict();
    const sums = z.object({ data: z.object({ values_total: z.object({ EUR: perCurrency, USD: perCurrency }) }) });
    expect(problems('v1', '/deals/summary', 'GET', answer)).toEqual([]);
    expect(sums.safeParse(answer.json).error).toBeUndefined();
  });

  test('when webhooks are made, refused, listed and deleted, then every answer fits the spec', async () => {
    const wanted = { subscription_url: 'https://receiver.example/hook', event_action: '*', event_object: 'deal', name: 'deals' };
    const created = await ask('v1', '/webhooks', 'POST', wanted);
    const refused = await ask('v1', '/webhooks', 'POST', { ...wanted, subscription_url: 'nonsense' });
    const listed = await ask('v1', '/webhooks');
    const path = `/webhooks/${webhookAnswer.parse(created.json).data.id}`;
    const deleted = await ask('v1', path, 'DELETE');
    const gone = await ask('v1', path, 'DELETE');

    expect([created, refused, listed, deleted, gone].map(({ status }) => status)).toEqual([201, 400, 200, 200, 404]);
    expect([created, refused].flatMap((answer) => problems('v1', '/webhooks', 'POST', answer))).toEqual([]);
    expect(problems('v1', '/webhooks', 'GET', listed)).toEqual([]);
    expect([deleted, gone].flatMap((answer) => problems('v1', '/webhooks/{id}', 'DELETE', answer))).toEqual([]);
    expect(recordKeys(schemaOf('v1', '/webhooks', 'POST', 201)).filter((key) => !answerKeys(created.json).includes(key))).toEqual(
      [],
    );
  });

  test('when a token or a record is missing, then the refusals fit the spec', async () => {
    const noLead = await ask('v1', '/leads/00000000-0000-4000-8000-000000000000');
    const noUser = await ask('v1', '/users/1');
    const answer = await fetch(`${fake.url}/api/v1/webhooks`);
    const unauthorized = { status: answer.status, json: await answer.json() };

    expect([noLead.status, noUser.status, unauthorized.status]).toEqual([404, 404, 401]);
    expect(problems('v1', '/leads/{id}', 'GET', noLead)).toEqual([]);
    expect(problems('v1', '/users/{id}', 'GET', noUser)).toEqual([]);
    expect(problems('v1', '/webhooks', 'GET', unauthorized)).toEqual([]);
  });

  test('when a code is exchanged, then the token answer fits the spec', async () => {
    const [adminId = 0] = [...fake.company(DEMO_COMPANY_ID).users.live.keys()];
    const form = {
      grant_type: 'authorization_code',
      code: fake.authorizeDirectly(adminId),
      redirect_uri: 'http://localhost/cb',
      client_id: fake.clientId,
      client_secret: fake.clientSecret,
    };
    const answer = await fetch(`${fake.url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    const token = { status: answer.status, json: await answer.json() };

    expect(problems('v1', '/oauth/token', 'POST', token)).toEqual([]);
    expect(Object.keys(objectOf(token.json)).sort()).toEqual([
      'access_token',
      'api_domain',
      'expires_in',
      'refresh_token',
      'scope',
      'token_type',
    ]);
  });
});

function readSpec(path: string | null): z.infer<typeof spec> {
  return path === null ? { paths: {} } : spec.parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** OpenAPI 3.0 says `nullable: true` where JSON Schema says `type: [..., "null"]`. */
function asJsonSchema(schema: JsonObject, name?: string): JsonObject {
  const converted: JsonObject = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'properties')
        return [
          key,
          Object.fromEntries(
            Object.entries(objectOf(value)).map(([property, inner]) => [property, asJsonSchema(objectOf(inner), property)]),
          ),
        ];
      if (Array.isArray(value) && ['allOf', 'oneOf', 'anyOf'].includes(key))
        return [key, value.map((part) => asJsonSchema(objectOf(part)))];
      return [key, key === 'items' ? asJsonSchema(objectOf(value)) : value];
    }),
  );
  const mayBeNull = schema['nullable'] === true || (name !== undefined && NULL_WHEN_UNSET.has(name));
  return mayBeNull ? { anyOf: [{ type: 'null' }, converted] } : converted;
}

/** The keys the spec lists for the record, or for each of the records, in `data`. */
function recordKeys(schema: JsonObject): string[] {
  const data = properties(schema)['data'];
  const list = objectOf(data)['items'];
  return Object.keys(properties(objectOf(list ?? data)));
}

function properties(schema: JsonObject): JsonObject {
  const parts = Array.isArray(schema['allOf']) ? schema['allOf'].map((part) => properties(objectOf(part))) : [];
  return Object.assign({}, objectOf(schema['properties']), ...parts);
}

function answerKeys(json: unknown): string[] {
  const data = objectOf(json)['data'];
  return Object.keys(objectOf(Array.isArray(data) ? data[0] : data));
}

function objectOf(value: unknown): JsonObject {
  return z.record(z.string(), z.unknown()).safeParse(value).data ?? {};
}
