/** Which origins a browser may call from. */

import { makeOriginMatcher } from '../../../src/platform/cors';

const PATTERNS = ['https://app.example.com', 'https://*.example.app', 'http://localhost:5173', 'https://*.ports.example:8443'];

test.each([
  ['https://app.example.com', true],
  ['https://APP.example.com', true],
  ['https://app.example.com:443', true],
  ['https://a.example.app', true],
  ['http://localhost:5173', true],
  ['https://x.ports.example:8443', true],
  ['https://a.b.example.app', false],
  ['https://example.app', false],
  ['https://.example.app', false],
  ['http://a.example.app', false],
  ['https://a.example.app:8443', false],
  ['https://a.example.app.evil.com', false],
  ['https://evil.com/.example.app', false],
  ['https://evil.com#.example.app', false],
  ['https://user@a.example.app', false],
  ['https://a.example.app/', false],
  ['https://aexample.app', false],
  ['https://app.example.com.evil.com', false],
  ['http://app.example.com', false],
  ['http://localhost:5174', false],
  ['https://*.example.app', false],
  ['null', false],
  ['', false],
])('when the origin is %s, then allowed is %s', (origin, allowed) => {
  expect(makeOriginMatcher(PATTERNS)(origin)).toBe(allowed);
});
