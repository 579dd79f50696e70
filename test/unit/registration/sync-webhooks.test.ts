/** What syncWebhooks does when Pipedrive's answers go wrong; the usual ways are told in stories/install. */

import { createHash } from 'node:crypto';
import { pino } from 'pino';
import { tenantId } from '../../../src/core/tenant';
import { makeSyncWebhooks, type WebhookApi } from '../../../src/registration/sync-webhooks';
import type { PipedriveWebhookStore } from '../../../src/registration/pipedrive-webhook.store';
import type { RemoteWebhook } from '../../../src/registration/wanted-webhooks';

const URL_ = 'https://d.example/webhook/pipedrive';
const TENANT = tenantId(1);

type Row = { rowId: number; connectionId: number; remoteId: number | null; eventObject: string; state: string; hash: string };

/** Rows in memory; the real store is tried in stories. */
function aStore(rows: Row[]): PipedriveWebhookStore {
  const isLive = (row: Row) => row.state !== 'removed';
  return {
    listLive: async () => Promise.resolve(rows.filter(isLive).map((row) => ({ ...row }))),
    insert: async (_tenantId, { connectionId, eventObject, credentialHash }) => {
      const rowId = rows.length + 1;
      rows.push({
        rowId,
        connectionId,
        remoteId: null,
        eventObject,
        state: 'creating',
        hash: Buffer.from(credentialHash).toString('hex'),
      });
      return Promise.resolve(rowId);
    },
    markActive: async (_tenantId, rowId, remoteId) => {
      Object.assign(rows[rowId - 1] ?? {}, { state: 'active', remoteId });
      return Promise.resolve();
    },
    markRemoved: async (_tenantId, rowIds) => {
      for (const row of rows) if (rowIds.includes(row.rowId)) row.state = 'removed';
      return Promise.resolve();
    },
    markRemovedOf: async () => Promise.resolve(),
    findWebhookCredential: async () => Promise.resolve(null),
    withTenantLock: (_tenantId, work) => work(),
  };
}

const failure = (kind: string) => ({ ok: false, failure: { kind, reason: `it is ${kind}` } }) as const;

/** A Pipedrive that keeps what is created; `answers` may overrule one kind of call. */
function anApi(remote: RemoteWebhook[], rows: Row[], answers: Partial<WebhookApi> = {}): WebhookApi {
  return {
    listWebhooks: async () => Promise.resolve({ ok: true, value: [...remote] }),
    addWebhook: async ({ eventObject, subscriptionUrl, authPassword }) => {
      const hash = createHash('sha256').update(authPassword).digest('hex');
      if (!rows.some((row) => row.hash === hash)) throw new Error('Pipedrive was asked before the row was written');
      const remoteId = 100 + remote.length;
      remote.push({
        remoteId,
        eventObject,
        subscriptionUrl,
        eventAction: '*',
        version: '2.0',
        isActive: true,
        lastDelivery: null,
      });
      return Promise.resolve({ ok: true, value: remoteId });
    },
    deleteWebhook: async (remoteId) => {
      const index = remote.findIndex((webhook) => webhook.remoteId === remoteId);
      if (index >= 0) remote.splice(index, 1);
      return Promise.resolve({ ok: true, value: true });
    },
    ...answers,
  };
}

const ADMIN = { id: 1, isAdmin: true };
const OTHER = { id: 2, isAdmin: true };

function aSync(rows: Row[], apis: Record<number, WebhookApi>, connections = [ADMIN]) {
  return makeSyncWebhooks({
    store: aStore(rows),
    listConnections: async () => Promise.resolve(connections),
    apiOf: async ({ id }: { id: number; isAdmin: boolean }) => {
      const api = apis[id];
      return api === undefined ? Promise.reject(new Error('no such connection')) : Promise.resolve(api);
    },
    subscriptionUrl: URL_,
    clock: () => new Date(),
    log: pino({ level: 'silent' }),
  });
}

describe('makeSyncWebhooks', () => {
  test('when nobody is connected, then nothing is asked', async () => {
    const report = await aSync([], {}, [])(TENANT);

    expect(report).toEqual({ ownerConnectionId: null, created: [], kept: 0, removed: 0, failing: [], failed: [] });
  });

  test('when the answer to a creation is lost, then the next run leaves one of that object and its row knows the password', async () => {
    const [rows, remote]: [Row[], RemoteWebhook[]] = [[], []];
    const api = anApi(remote, rows);
    const losing = anApi(remote, rows, {
      addWebhook: async (webhook) => {
        const answer = await api.addWebhook(webhook);
        return webhook.eventObject === 'deal' ? failure('unreachable') : answer;
      },
    });
    const first = await aSync(rows, { 1: losing })(TENANT);
    const acceptedMeanwhile = rows.filter((row) => row.eventObject === 'deal' && row.state === 'creating').length;

    const second = await aSync(rows, { 1: api })(TENANT);

    expect(first.failed).toEqual([{ object: 'deal', reason: 'it is unreachable' }]);
    expect(acceptedMeanwhile).toBe(1);
    expect(second).toMatchObject({ created: ['deal'], kept: 8, removed: 2, failed: [] });
    expect(remote).toHaveLength(9);
    expect(rows.filter((row) => row.state === 'active')).toHaveLength(9);
  });

  test('when Pipedrive refuses one object, then the others stand and its row is not kept', async () => {
    const [rows, remote]: [Row[], RemoteWebhook[]] = [[], []];
    const api = anApi(remote, rows);
    const refusing = anApi(remote, rows, {
      addWebhook: (webhook) => (webhook.eventObject === 'lead' ? Promise.resolve(failure('forbidden')) : api.addWebhook(webhook)),
    });

    const report = await aSync(rows, { 1: refusing })(TENANT);

    expect(report.created).toHaveLength(8);
    expect(report.failed).toEqual([{ object: 'lead', reason: 'it is forbidden' }]);
    expect(rows.find((row) => row.eventObject === 'lead')?.state).toBe('removed');
  });

  test('when the owner may no longer list, then the set goes over to the next connection', async () => {
    const [rows, remote]: [Row[], RemoteWebhook[]] = [[], []];
    await aSync(rows, { 1: anApi(remote, rows) })(TENANT);
    const refused = anApi([], rows, {
      listWebhooks: () => Promise.resolve(failure('forbidden')),
      deleteWebhook: () => Promise.resolve(failure('forbidden')),
    });
    const others: RemoteWebhook[] = [];

    const report = await aSync(rows, { 1: refused, 2: anApi(others, rows) }, [ADMIN, OTHER])(TENANT);

    expect(report).toMatchObject({ ownerConnectionId: 2, removed: 9, failed: [] });
    expect(others).toHaveLength(9);
    expect(rows.filter((row) => row.state === 'active').map((row) => row.connectionId)).toEqual(Array(9).fill(2));
  });

  test('when Pipedrive cannot be reached, then nothing is changed and nobody else is tried', async () => {
    const [rows, remote]: [Row[], RemoteWebhook[]] = [[], []];
    await aSync(rows, { 1: anApi(remote, rows) })(TENANT);
    const down = anApi([], rows, { listWebhooks: () => Promise.resolve(failure('unreachable')) });

    const report = await aSync(rows, { 1: down }, [ADMIN, OTHER])(TENANT);

    expect(report).toMatchObject({
      ownerConnectionId: 1,
      created: [],
      removed: 0,
      failed: [{ object: 'list', reason: 'it is unreachable' }],
    });
    expect(rows.filter((row) => row.state === 'active')).toHaveLength(9);
  });

  test('when a hand-over cannot create one object, then the old webhook of that object stays', async () => {
    const [rows, remote]: [Row[], RemoteWebhook[]] = [[], []];
    const member = { id: 3, isAdmin: false };
    await aSync(rows, { 3: anApi(remote, rows) }, [member])(TENANT);
    const admins: RemoteWebhook[] = [];
    const creating = anApi(admins, rows);
    const api = anApi(admins, rows, {
      addWebhook: (webhook) =>
        webhook.eventObject === 'note' ? Promise.resolve(failure('rateLimited')) : creating.addWebhook(webhook),
    });

    await aSync(rows, { 1: api, 3: anApi(remote, rows) }, [ADMIN, member])(TENANT);

    expect(remote.map(({ eventObject }) => eventObject)).toEqual(['note']);
    expect(rows.filter((row) => row.state === 'active' && row.eventObject === 'note').map((row) => row.connectionId)).toEqual([
      3,
    ]);
  });
});
