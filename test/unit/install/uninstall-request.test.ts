import { hasClientCredentials, readUninstallNotice } from '../../../src/install/uninstall-request';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('hasClientCredentials', () => {
  test('when the header bears id and secret, then it is ours, whatever the case of the scheme', () => {
    expect(hasClientCredentials(basic('id:se:cret'), 'id', 'se:cret')).toBe(true);
    expect(hasClientCredentials(basic('id:se:cret').replace('Basic', 'basic'), 'id', 'se:cret')).toBe(true);
  });

  test.each([
    undefined,
    '',
    'Basic',
    'Basic !!!',
    'Bearer abc',
    basic('id:secre'),
    basic('id:secrets'),
    basic('idsecret'),
    basic(':'),
  ])('when the header is %j, then it is not ours', (header) => {
    expect(hasClientCredentials(header, 'id', 'secret')).toBe(false);
  });
});

describe('readUninstallNotice', () => {
  test.each([
    ['numbers', { client_id: 'id', company_id: 5, user_id: 7, timestamp: 1 }],
    ['strings', { client_id: 'id', company_id: '5', user_id: '7', timestamp: '2026-11-01' }],
    ['text', '{"client_id":"id","company_id":5,"user_id":7}'],
  ])('when the body comes as %s, then company and user are read', (_name, body) => {
    expect(readUninstallNotice(body, 'id')).toEqual({ companyId: 5, userId: 7 });
  });

  test.each([
    undefined,
    null,
    '',
    '{',
    '[]',
    {},
    { client_id: 'else', company_id: 5, user_id: 7 },
    { client_id: 'id', company_id: -5, user_id: 1e300 },
  ])('when the body is %j, then it is no notice', (body) => {
    expect(readUninstallNotice(body, 'id')).toBeNull();
  });
});
