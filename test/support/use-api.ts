/** The REST API for the tests of a file: each has a company of its own, and fails when a bug is reported. */

import request from 'supertest';
import { iframeToken, makeApiFixture, type ApiFixture, type TestTenant } from './api-fixture';
import type { TestDatabase } from './test-database';

type Method = 'get' | 'post' | 'put' | 'delete';

export interface UsedApi extends Pick<ApiFixture, 'app' | 'rings' | 'addTenant'> {
  /** The company of the test that runs; a test may put another one in its place. */
  tenant: TestTenant;
  /** By the company's key, or by another key or page token. */
  call(method: Method, path: string, by?: { readonly key: string }): request.Test;
  /** Connects a space by a URL of its own; gives the destination's id. */
  addDestination(fields?: object, owner?: TestTenant): Promise<number>;
  /** What a user's open page shows that it may ask for more, as if it were a key. */
  openSession(userId: number): Promise<{ readonly key: string }>;
}

let urls = 0;
/** A webhook's address, each with a token of its own. */
export function chatUrl(space = 'AAAA'): string {
  return `https://chat.googleapis.com/v1/spaces/${space}/messages?key=AIzaSecret&token=tok${(urls += 1)}`;
}

/** Call it at the top of a test file: it registers its own hooks. */
export function useApi(testDatabase: TestDatabase, changed: Parameters<typeof makeApiFixture>[1] = {}): UsedApi {
  let made: ApiFixture | undefined;
  let tenant: TestTenant | undefined;
  const fixture = (): ApiFixture => (made ??= makeApiFixture(testDatabase.database, changed));
  beforeEach(async () => {
    tenant = await fixture().addTenant();
  });
  afterEach(() => {
    expect(fixture().reported).toEqual([]);
  });
  const api: UsedApi = {
    get app() {
      return fixture().app;
    },
    get rings() {
      return fixture().rings;
    },
    get tenant() {
      if (tenant === undefined) throw new Error('the company is there from beforeEach on');
      return tenant;
    },
    set tenant(another) {
      tenant = another;
    },
    addTenant: (options) => fixture().addTenant(options),
    call: (method, path, { key } = api.tenant) => request(api.app)[method](path).set('Authorization', `Bearer ${key}`),
    async addDestination(fields = {}, owner = api.tenant) {
      const sent = { name: 'Sales', url: chatUrl(), ...fields };
      return (await api.call('post', '/chat-webhooks', owner).send(sent).expect(201)).body.id;
    },
    async openSession(userId) {
      const token = iframeToken({ userId, companyId: api.tenant.companyId });
      return { key: (await request(api.app).post('/session').send({ token }).expect(200)).body.token };
    },
  };
  return api;
}
