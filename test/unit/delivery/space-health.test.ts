/** The health of a destination as a table: before, answer, after. */

import fc from 'fast-check';
import type { DeliveryOutcome } from '../../../src/core/delivery';
import { unreadableReason } from '../../../src/delivery/read-destination';
import {
  healthAfter,
  healthWithoutKey,
  judgeRefusal,
  probeDelayMs,
  shownHealth,
  type Health,
} from '../../../src/delivery/space-health';

const SETTINGS = { refusalConfirmMs: 20_000, firstProbeMs: 300_000 };
const HOUR_MS = 3_600_000;
const SENT: DeliveryOutcome = { kind: 'sent', httpStatus: 200, messageName: 'm', threadName: null };
const BUSY: DeliveryOutcome = { kind: 'busy', httpStatus: 429, reason: 'HTTP 429', retryAfterMs: null };
const DOWN: DeliveryOutcome = { kind: 'unreachable', httpStatus: 503, reason: 'HTTP 503' };
const UNNAMED: DeliveryOutcome = { kind: 'unnamed', httpStatus: 200, reason: 'HTTP 200 without a message name' };
const REJECTED: DeliveryOutcome = { kind: 'rejected', httpStatus: 400, reason: 'HTTP 400' };
const refused = (httpStatus: number): DeliveryOutcome => ({ kind: 'refused', httpStatus, reason: `HTTP ${httpStatus}` });

const aHealth = (given: Partial<Health> = {}): Health => ({
  ...{ state: 'healthy', reason: null, refusals: 0, sinceLastRefusalMs: null, probes: 0 },
  ...given,
});
const DOUBTFUL = { state: 'doubtful', refusals: 1, sinceLastRefusalMs: 20_000 } as const;
const NEARLY_BROKEN = { state: 'doubtful', refusals: 2, sinceLastRefusalMs: 20_000 } as const;

test.each<[string, Partial<Health>, DeliveryOutcome, number, object | null]>([
  ['healthy, sent', {}, SENT, 0, null],
  ['healthy, rejected body', {}, REJECTED, 5, null],
  ['healthy, one 5xx', {}, DOWN, 0, null],
  ['healthy, two 5xx', {}, DOWN, 1, null],
  ['healthy, three 5xx', {}, DOWN, 2, { state: 'doubtful', isHealed: false, countsRefusal: false }],
  ['healthy, three unnamed', {}, UNNAMED, 2, { state: 'doubtful', countsRefusal: false }],
  ['healthy, 429', {}, BUSY, 0, { state: 'throttled', isHealed: false }],
  ['healthy, one refusal', {}, refused(401), 0, { state: 'doubtful', countsRefusal: true, nextProbeMs: null }],
  ['throttled, sent', { state: 'throttled' }, SENT, 0, { state: 'healthy', isHealed: true }],
  ['throttled, refused', { state: 'throttled' }, refused(403), 0, { state: 'doubtful', countsRefusal: true }],
  ['doubtful, sent', DOUBTFUL, SENT, 0, { state: 'healthy', isHealed: true }],
  ['doubtful by a refusal, 429', DOUBTFUL, BUSY, 0, null],
  ['doubtful by a refusal, 5xx', DOUBTFUL, DOWN, 9, null],
  ['doubtful by silence, 429', { state: 'doubtful' }, BUSY, 3, { state: 'throttled' }],
  [
    'doubtful, refused too soon',
    { ...DOUBTFUL, sinceLastRefusalMs: 19_999 },
    refused(404),
    0,
    { state: 'doubtful', countsRefusal: false },
  ],
  ['doubtful, second refusal', DOUBTFUL, refused(404), 0, { state: 'doubtful', countsRefusal: true }],
  [
    'nearly broken, refused too soon',
    { ...NEARLY_BROKEN, sinceLastRefusalMs: 5 },
    refused(404),
    0,
    { state: 'doubtful', countsRefusal: false },
  ],
  [
    'nearly broken, third refusal',
    NEARLY_BROKEN,
    refused(404),
    0,
    { state: 'broken', countsRefusal: true, nextProbeMs: 300_000 },
  ],
  ['nearly broken, sent', NEARLY_BROKEN, SENT, 0, { state: 'healthy', isHealed: true }],
  [
    'broken, trial sent',
    { state: 'broken', refusals: 3, probes: 2 },
    SENT,
    0,
    { state: 'healthy', isHealed: true, nextProbeMs: null },
  ],
  [
    'broken, trial refused',
    { state: 'broken', refusals: 3, sinceLastRefusalMs: 1 },
    refused(404),
    0,
    { state: 'broken', nextProbeMs: 600_000 },
  ],
  [
    'broken, trial refused again',
    { state: 'broken', refusals: 3, probes: 1 },
    refused(403),
    0,
    { state: 'broken', nextProbeMs: 1_200_000 },
  ],
  ['broken, trial throttled', { state: 'broken', refusals: 3 }, BUSY, 0, null],
  ['broken, trial unanswered', { state: 'broken', refusals: 3 }, DOWN, 7, null],
  ['broken, trial rejected', { state: 'broken', refusals: 3 }, REJECTED, 0, null],
])('when it is %s, then that follows', (_name, before, outcome, troubles, after) => {
  const change = healthAfter(aHealth(before), outcome, troubles, SETTINGS);

  if (after === null) expect(change).toBeNull();
  else expect(change).toMatchObject(after);
});

test.each([
  [401, 'key and token'],
  [403, 'let this webhook post'],
  [404, 'no longer knows this webhook or its space'],
  [400, 'damaged'],
])('when Chat refuses with %d, then the reason says in words what that means and what to do', (status, words) => {
  const doubtful = healthAfter(aHealth(), refused(status), 0, SETTINGS)?.reason;
  const broken = healthAfter(aHealth(NEARLY_BROKEN), refused(status), 0, SETTINGS)?.reason;

  expect(doubtful).toContain(words);
  expect(doubtful).toContain(`HTTP ${status}`);
  expect(broken).toContain(words);
  expect(broken).toContain('replace the URL');
});

test.each<[string, Partial<Health>, number]>([
  ['healthy', {}, 300_000],
  ['in doubt', DOUBTFUL, 300_000],
  ['broken', { state: 'broken' }, 600_000],
  ['broken and tried twice', { state: 'broken', probes: 1 }, 1_200_000],
])(
  'when the key of one that is %s cannot be opened, then it is broken as the pages say it, and tried later',
  (_what, before, nextProbeMs) => {
    expect(healthWithoutKey(aHealth(before), SETTINGS)).toEqual({
      ...{
        state: 'broken',
        reason: unreadableReason({ unreadable: ['url'] }),
        cause: 'keyLost',
        countsRefusal: false,
        isHealed: false,
        nextProbeMs,
      },
    });
  },
);

test.each([
  ['never', 0, false],
  ['three times', 3, true],
])(
  'when a trial is refused by one that refused %s before, then no refusals are told that never were',
  (_what, refusals, isRow) => {
    const reason = healthAfter(aHealth({ state: 'broken', refusals }), refused(403), 0, SETTINGS)?.reason ?? '';

    expect(reason.includes('times in a row')).toBe(isRow);
    expect(reason).toContain('replace the URL');
  },
);

test('when Chat explains itself to programmers, then the reason keeps its code alone', () => {
  const outcome = { ...refused(403), reason: 'HTTP 403 PERMISSION_DENIED: The API is called without a valid token. See x: y.' };

  expect(healthAfter(aHealth(), outcome, 0, SETTINGS)?.reason).toMatch(
    /^Google Chat .* post \(HTTP 403 PERMISSION_DENIED\)\. Dealbell/,
  );
});

test('when it is paused, then that is shown in place of what Chat says', () => {
  const destination = { health: 'broken', healthReason: 'HTTP 404' } as const;

  expect(shownHealth({ ...destination, paused: true })).toEqual({
    health: 'paused',
    healthReason: expect.stringContaining('paused'),
  });
  expect(shownHealth({ ...destination, paused: false })).toEqual({ health: 'broken', healthReason: 'HTTP 404' });
});

test('when answers come in any order, then only three refusals that are far enough apart break it', () => {
  const step = fc.record({
    outcome: fc.constantFrom(SENT, BUSY, DOWN, UNNAMED, REJECTED, refused(401), refused(404)),
    afterMs: fc.nat(30_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let health = aHealth();
      let counted: number[] = [];
      let nowMs = 0;
      for (const { outcome, afterMs } of steps) {
        nowMs += afterMs;
        const last = counted.at(-1);
        const change = healthAfter(
          { ...health, sinceLastRefusalMs: last === undefined ? null : nowMs - last },
          outcome,
          0,
          SETTINGS,
        );
        if (change?.countsRefusal === true) counted.push(nowMs);
        if (change?.isHealed === true) counted = [];
        health = { ...health, state: change?.state ?? health.state, refusals: counted.length };
      }
      const gaps = counted.slice(1).map((at, index) => at - (counted[index] ?? 0));

      expect(gaps.every((gap) => gap >= SETTINGS.refusalConfirmMs)).toBe(true);
      expect(health.state === 'broken').toBe(counted.length === 3);
    }),
  );
});

test('when trials are in vain, then they come ever more rarely, but at least every hour', () => {
  expect([0, 1, 2, 3, 4, 50].map((probes) => probeDelayMs(probes, 300_000))).toEqual([
    300_000,
    600_000,
    1_200_000,
    2_400_000,
    HOUR_MS,
    HOUR_MS,
  ]);
});

test('when a refusal came just now, then the destination rests for what is left', () => {
  expect(judgeRefusal({ state: 'doubtful', refusals: 1, sinceLastRefusalMs: 5000 }, 20_000)).toEqual({
    counts: false,
    isBroken: false,
    restMs: 15_000,
  });
});
