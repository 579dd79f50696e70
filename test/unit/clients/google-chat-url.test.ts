/** A pasted Chat webhook URL is taken apart, or refused in words that do not quote it. */

import { buildChatUrl, parseChatUrl } from '../../../src/clients/google-chat-url';

const ORIGIN = 'https://chat.googleapis.com';
const GOOD = `${ORIGIN}/v1/spaces/AAAAb_-9/messages?key=AIzaKey&token=tok%3D`;
const PARTS = { spaceId: 'AAAAb_-9', key: 'AIzaKey', token: 'tok=' };

test.each([
  ['as copied', GOOD],
  ['with space around it', `  ${GOOD}\n`],
  ['with &amp;', GOOD.replace('&', '&amp;')],
  ['with &#38;', GOOD.replace('&', '&#38;')],
  ['with the parameters in another order', `${ORIGIN}/v1/spaces/AAAAb_-9/messages?token=tok%3D&key=AIzaKey`],
  ['with stray parameters', `${GOOD}&threadKey=x&messageReplyOption=REPLY_MESSAGE_OR_FAIL`],
  ['with a fragment', `${GOOD}#x`],
  ['with the default port', GOOD.replace('.com/', '.com:443/')],
  ['with an upper-case host', GOOD.replace('chat.googleapis', 'CHAT.googleapis')],
])('when a URL is pasted %s, then its three parts are found', (_, url) => {
  const parsed = parseChatUrl(url, ORIGIN);

  expect(parsed).toEqual({ kind: 'parts', parts: PARTS });
});

test.each([
  ['nothing', ''],
  ['no URL', 'my webhook'],
  ['http', GOOD.replace('https', 'http')],
  ['another host', GOOD.replace('chat.googleapis.com', 'evil.example')],
  ['a longer host', GOOD.replace('chat.googleapis.com', 'chat.googleapis.com.evil.example')],
  ['a trailing dot', GOOD.replace('googleapis.com', 'googleapis.com.')],
  ['a host in the user name', GOOD.replace('chat.googleapis.com', 'chat.googleapis.com@evil.example')],
  ['a user name', GOOD.replace('https://', 'https://user@')],
  ['a password', GOOD.replace('https://', 'https://:secret@')],
  ['another port', GOOD.replace('.com/', '.com:8443/')],
  ['the mutual-TLS host', GOOD.replace('chat.googleapis', 'chat.mtls.googleapis')],
  ['a loopback address', GOOD.replace('chat.googleapis.com', '127.0.0.1')],
  ['an older path', GOOD.replace('spaces', 'rooms')],
  ['a path that climbs', GOOD.replace('AAAAb_-9', '..%2Fx')],
  ['a longer path', GOOD.replace('/messages', '/messages/x')],
  ['no space id', GOOD.replace('AAAAb_-9', '')],
  ['no key', GOOD.replace('key=AIzaKey&', '')],
  ['an empty token', GOOD.replace('tok%3D', '')],
  ['two tokens', `${GOOD}&token=other`],
  ['a line break inside', GOOD.replace('AIza', 'AIza\n')],
  ['a backslash', GOOD.replace('/v1', '\\v1')],
  ['an escaped line break in the token', GOOD.replace('tok', 'tok%0A')],
  ['javascript', 'javascript:alert(1)'],
])('when a URL has %s, then it is refused without being quoted', (_, url) => {
  const parsed = parseChatUrl(url, ORIGIN);

  expect(parsed.kind).toBe('problem');
  expect(JSON.stringify(parsed)).not.toContain('AIza');
});

test('when the origin is a loopback stand-in, then only that origin is accepted', () => {
  const local = GOOD.replace(ORIGIN, 'http://127.0.0.1:4010');

  expect(parseChatUrl(local, 'http://127.0.0.1:4010').kind).toBe('parts');
  expect(parseChatUrl(GOOD, 'http://127.0.0.1:4010').kind).toBe('problem');
});

test('when a URL is rebuilt, then key and token are escaped and the parameters follow', () => {
  const url = buildChatUrl(ORIGIN, PARTS, { requestId: 'r1' });

  expect(url).toBe(`${GOOD}&requestId=r1`);
});
