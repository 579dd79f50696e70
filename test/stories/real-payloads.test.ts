/** Every webhook sample that lies beside the project, posted as it is: the right answer, and exactly the right cards. */

import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_TYPES } from '../../src/core/transition';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { addRule, connectChannel, visibleText, type Channel } from '../support/channel';
import { ledgerAtRest } from '../support/ledger-at-rest';
import { describeOnBackends } from '../support/queue-backends';
import { postAs } from '../support/raw-webhook';
import { sharedDataPath } from '../support/shared-data';
import { useTestDatabase } from '../support/test-database';
import { startWorld, type World } from '../support/world';

/** What each sample tells, in the order of their times. */
const TELLS: Readonly<Record<string, readonly string[]>> = {
  'v2-doc-activity-create': ['activity.created'],
  'v2-doc-deal-create': ['deal.created'],
  'v2-doc-deal-change-customfield': ['deal.field_changed'],
  'v2-doc-deal-delete': ['deal.deleted'],
  'v2-doc-lead-create': ['lead.created'],
  'v2-doc-note-create': ['note.created'],
  'v2-doc-organization-create': ['organization.created'],
  'v2-doc-person-create': ['person.created'],
  'v2-doc-person-delete': ['person.deleted'],
  'v2-doc-activity-delete': ['activity.deleted'],
  'v2-real-deal-change-stage-2026-01': ['deal.stage_changed'],
  'v2-real-partial-deal-customfield-enum': ['deal.field_changed'],
  'v2-real-partial-deal-open-to-lost': ['deal.lost'],
  'v2-real-partial-deal-open-to-won': ['deal.won'],
  'v2-real-partial-deal-stage-change': ['deal.stage_changed'],
  'v2-real-deal-create-2026-05': ['deal.created'],
  'v2-constructed-deal-won': ['deal.won'],
};

/** Has the identity of another sample (entity, id, action, time, `meta.id`): as a retry it tells nothing more. */
const TWIN = 'v2-constructed-retry-attempt-3';

interface Sample {
  readonly name: string;
  // The samples are Pipedrive's own: whatever they hold is what Dealbell has to take.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

const folder = sharedDataPath('pipedrive/webhooks');

function samplesIn(path: string): readonly Sample[] {
  const files = readdirSync(path).filter((file) => file.startsWith('v2-') && file.endsWith('.json'));
  const all = files.map((file): Sample => ({
    name: file.slice(0, -'.json'.length),
    body: JSON.parse(readFileSync(join(path, file), 'utf8')),
  }));
  const base = all.find(({ name }) => name === 'v2-real-deal-change-stage-2026-01')?.body;
  return all
    .filter(({ body }) => typeof body.meta === 'object')
    .map((sample, index) => (sample.name.includes('partial') ? completed(sample, base, index) : sample))
    .sort((left, right) => Date.parse(left.body.meta.timestamp) - Date.parse(right.body.meta.timestamp));
}

/** The partial samples show only what changed: the rest is that of the same deal's full sample. */
function completed({ name, body }: Sample, base: Sample['body'], index: number): Sample {
  const timestamp = new Date(Date.parse(base.meta.timestamp) + 1000 * (index + 1)).toISOString();
  const data = { ...base.data, ...body.data, custom_fields: { ...base.data.custom_fields, ...body.data.custom_fields } };
  return { name, body: { data, previous: body.previous, meta: { ...base.meta, ...body.meta, timestamp, id: randomUUID() } } };
}

if (folder === null) test.todo('real payloads (../shared is absent)');
else
  describeOnBackends('Real payloads', (backend) => {
    const samples = samplesIn(folder);
    // Before the database goes: such hooks run in the order in which they stand.
    afterAll(() => world.close());
    const testDatabase = useTestDatabase();
    const channels = new Map<string, Channel>();
    let world: World;
    let token: string;

    beforeAll(async () => {
      world = await startWorld({
        ...{ databaseUrl: testDatabase.connectionString, redisUrl: backend.redisUrl() },
        config: { spaceIntervalMs: 0, apiRateLimit: 1_000_000 },
        chat: { enforceQuota: false },
      });
      token = await world.install();
      const custom = samples.flatMap(({ body }) => Object.keys(body.previous?.custom_fields ?? {}));
      for (const type of EVENT_TYPES) {
        const channel = await connectChannel(world, token, type);
        const filters = type === 'deal.field_changed' ? { fields: ['title', ...new Set(custom)].slice(0, 50) } : {};
        await addRule(world, token, type, channel, { templateMode: 'detailed', filters });
        channels.set(type, channel);
      }
    });

    const counts = (): ReadonlyMap<string, number> =>
      new Map([...channels].map(([type, { spaceId }]) => [type, world.chat.messages(spaceId).length]));

    test('when the samples are read, then each that should tell something is there', () => {
      expect(samples.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(TELLS)));
    });

    test.each(samples)('when $name comes, then it is answered and told as it should be', async ({ name, body }) => {
      const before = counts();

      const answer = await postAs(world, JSON.stringify(body), DEMO_COMPANY_ID, 'deal');
      await ledgerAtRest(world, testDatabase.database.pool);

      const usual = name === TWIN ? 'duplicate' : 'accepted';
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject({ status: body.meta.entity === 'product' ? 'ignored' : usual });
      const told = [...counts()].filter(([type, count]) => count > (before.get(type) ?? 0)).map(([type]) => type);
      expect(told).toEqual(TELLS[name] ?? []);
      const record = body.data ?? body.previous;
      for (const type of told) {
        const card = visibleText(world.chat.messages(channels.get(type)?.spaceId).at(-1) ?? { rawBody: '""' });
        expect(card).toContain(record.title ?? record.name ?? record.subject ?? '');
        // Nobody here knows these users and organizations: they are left out, not shown as numbers.
        for (const id of [record.owner_id, record.org_id, record.person_id, record.user_id].filter((value) => value > 999))
          expect(card).not.toContain(String(id));
      }
    });
  });
