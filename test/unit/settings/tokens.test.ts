/** The two tokens of our pages: Pipedrive's for opening one, our own for what it asks afterwards. */

import { tenantId } from '../../../src/core/tenant';
import { makePageTokens } from '../../../src/settings/page-token';
import { makeVerifyIframeToken } from '../../../src/settings/verify-iframe-token';
import { iframeToken } from '../../support/api-fixture';

const verify = makeVerifyIframeToken({ secret: 'a client secret of the test', clock: () => new Date() });
const nowS = () => Math.floor(Date.now() / 1000);

test('when Pipedrive signed the token, then its user and company are believed', async () => {
  expect(await verify(iframeToken({ userId: 7, companyId: 9 }))).toEqual({ userId: 7, companyId: 9 });
});

test.each([
  ['is expired', iframeToken({ userId: 7, companyId: 9, exp: nowS() - 60 })],
  ['is two days old and never expires', iframeToken({ userId: 7, companyId: 9, exp: undefined, iat: nowS() - 172_800 })],
  ['lives for years', iframeToken({ userId: 7, companyId: 9, exp: nowS() + 1e8 })],
  ['has another secret', iframeToken({ userId: 7, companyId: 9 }, { secret: 'another' })],
  ['is unsigned', iframeToken({ userId: 7, companyId: 9 }, { algorithm: 'none' })],
  ['is HS512', iframeToken({ userId: 7, companyId: 9 }, { algorithm: 'HS512' })],
  ['names its user by text', iframeToken({ userId: '7', companyId: 9 })],
  ['has no company', iframeToken({ userId: 7 })],
  ['is no token', 'abc'],
  ['is empty', ''],
])('when the token %s, then it is refused', async (_, token) => {
  expect(await verify(token)).toBeNull();
});

test('when a page token is 30 minutes old, then it has expired', async () => {
  let now = new Date('2026-11-23T12:00:00Z');
  const tokens = makePageTokens({ sessionSecret: 'a secret of the test', clock: () => now });
  const { token, expiresAt } = await tokens.issue({ tenantId: tenantId(3), userId: 7 });

  const early = await tokens.verify(token);
  now = new Date('2026-11-23T12:30:01Z');
  const late = await tokens.verify(token);

  expect(expiresAt).toEqual(new Date('2026-11-23T12:30:00Z'));
  expect(early).toEqual({ tenantId: 3, userId: 7 });
  expect(late).toBeNull();
});

test('when another installation made the page token, or Pipedrive did, then it is refused', async () => {
  const clock = () => new Date();
  const ours = makePageTokens({ sessionSecret: 'ours', clock });
  const theirs = await makePageTokens({ sessionSecret: 'theirs', clock }).issue({ tenantId: tenantId(3), userId: 7 });

  expect(await ours.verify(theirs.token)).toBeNull();
  expect(await ours.verify(iframeToken({ userId: 7, companyId: 9 }))).toBeNull();
});
