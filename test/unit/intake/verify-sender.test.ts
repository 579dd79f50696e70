/** Who may send webhooks: what the headers claim, and whether it is true. */

import { createHash, createHmac } from 'node:crypto';
import { tenantId } from '../../../src/core/tenant';
import { readClaim, verifyBasic, verifySignature, type SenderSource } from '../../../src/intake/verify-sender';

const TENANT = tenantId(7);
const PUBLIC_ID = '11111111-2222-4333-8444-555555555555';
const source: SenderSource = {
  findCredential: (user) =>
    Promise.resolve(
      user === 'known' ? { tenantId: TENANT, credentialHash: createHash('sha256').update('pass:word').digest() } : null,
    ),
  findSigningSecret: (id) => Promise.resolve(id === PUBLIC_ID ? { tenantId: TENANT, secret: 'the secret' } : null),
};
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const sign = (body: string, secret = 'the secret') => createHmac('sha256', secret).update(body).digest();

describe('claims', () => {
  test('when Basic credentials have a colon in the password, then only the first one parts them', () => {
    expect(readClaim({ authorization: basic('known:pass:word') })).toEqual({
      kind: 'basic',
      user: 'known',
      password: 'pass:word',
    });
  });

  test('when the scheme is written in another case, then it is read', () => {
    expect(readClaim({ authorization: basic('a:b').replace('Basic', 'bAsIc') }).kind).toBe('basic');
  });

  test('when the password is empty, then it is a claim like any other', () => {
    expect(readClaim({ authorization: basic('a:') })).toEqual({ kind: 'basic', user: 'a', password: '' });
  });

  test.each([
    ['nothing', {}],
    ['a bearer', { authorization: 'Bearer abc' }],
    ['no base64', { authorization: 'Basic !!!' }],
    ['an empty Basic', { authorization: 'Basic ' }],
    ['no colon', { authorization: basic('known') }],
    ['no user', { authorization: basic(':password') }],
    ['a NUL', { authorization: basic('kno\0wn:x') }],
    ['a tenant without signature', { 'x-dealbell-tenant': PUBLIC_ID }],
    ['a tenant that is no UUID', { 'x-dealbell-tenant': '7', 'x-dealbell-signature': `sha256=${'a'.repeat(64)}` }],
    ['a short signature', { 'x-dealbell-tenant': PUBLIC_ID, 'x-dealbell-signature': 'sha256=abcd' }],
    ['another algorithm', { 'x-dealbell-tenant': PUBLIC_ID, 'x-dealbell-signature': `sha1=${'a'.repeat(64)}` }],
    ['a signature twice', { 'x-dealbell-tenant': PUBLIC_ID, 'x-dealbell-signature': ['a', 'b'] }],
    [
      'a wrong Basic beside a signature',
      { authorization: 'Basic !', 'x-dealbell-tenant': PUBLIC_ID, 'x-dealbell-signature': `sha256=${'a'.repeat(64)}` },
    ],
  ])('when the headers have %s, then nothing is claimed', (_name, headers) => {
    expect(readClaim(headers)).toEqual({ kind: 'none' });
  });

  test('when a relay signs, then its tenant and the signature are read', () => {
    const signature = sign('body');

    const claim = readClaim({
      'x-dealbell-tenant': PUBLIC_ID,
      'x-dealbell-signature': `sha256=${signature.toString('hex').toUpperCase()}`,
    });

    expect(claim).toEqual({ kind: 'signature', tenantPublicId: PUBLIC_ID, signature });
  });
});

test.each([
  ['known', 'pass:word', 7],
  ['known', 'pass:wordx', null],
  ['known', '', null],
  ['stranger', 'pass:word', null],
])('when %s sends the password %j, then the tenant is %s', async (user, password, expected) => {
  expect(await verifyBasic({ user, password }, source)).toBe(expected);
});

test('when an unknown user guesses the stand-in hash, then nobody is let in', async () => {
  expect(await verifyBasic({ user: 'stranger', password: '' }, source)).toBeNull();
});

test.each([
  ['the body is the signed one', PUBLIC_ID, 'body', 'the secret', 7],
  ['the body was changed', PUBLIC_ID, 'body ', 'the secret', null],
  ['the secret is another', PUBLIC_ID, 'body', 'guessed', null],
  ['the tenant is unknown', '99999999-2222-4333-8444-555555555555', 'body', 'the secret', null],
])('when %s, then the signature verifies accordingly', async (_name, tenantPublicId, body, secret, expected) => {
  const claim = { tenantPublicId, signature: sign('body', secret) };

  expect(await verifySignature(claim, Buffer.from(body), source)).toBe(expected);
});

test('when an unknown tenant signs with the stand-in secret, then nobody is let in', async () => {
  const signature = createHmac('sha256', Buffer.alloc(32)).update('body').digest();

  expect(await verifySignature({ tenantPublicId: 'x', signature }, Buffer.from('body'), source)).toBeNull();
});
