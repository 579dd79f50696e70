/** How a space is, in words: by its health, its quiet hours, and whether it was used at all. */

import type { Destination } from '../../../src/delivery/read-destination';
import { spaceView } from '../../../src/settings/space-view';
import { aTenant } from '../../fixtures/record-changes';

const NOW = new Date('2026-11-23T22:30:00Z');

function viewOf(given: Partial<Destination>, isUnused = false, another: Partial<Destination> = {}) {
  const space: Destination = {
    ...{ id: 3, name: 'Sales wins', spaceId: 'A', health: 'healthy', healthReason: null, healthSince: NOW, paused: false },
    ...{ threads: 'off', threadingUnsupported: false, fallbackWebhookId: null, holdHours: 24, fold: 'auto', foldThreshold: null },
    ...{ timeZone: 'Europe/Berlin', locale: null, quietHours: null, createdAt: NOW, updatedAt: NOW, unreadable: [] },
    ...given,
  };
  return spaceView(space, 1, {
    tenant: { ...aTenant(), locale: 'en_GB' },
    now: NOW,
    waiting: [],
    destinations: [space, { ...space, id: 4, name: 'Board', health: 'healthy', fallbackWebhookId: null, ...another }],
    unused: new Set(isUnused ? [3] : []),
  });
}

const NIGHT = { from: '20:00', to: '07:00', mode: 'hold' } as const;

test.each([
  ['it is quiet now', { quietHours: NIGHT }, 'Quiet until 07:00', 'Messages wait until then.'],
  [
    'it is quiet now and drops',
    { quietHours: { ...NIGHT, mode: 'drop' as const } },
    'Quiet until 07:00',
    'Messages are discarded until then.',
  ],
  ['it is quiet at other times', { quietHours: { ...NIGHT, to: '23:00' } }, 'Working', 'Messages are being delivered.'],
  ['it is quiet and broken', { quietHours: NIGHT, health: 'broken' as const }, 'Broken', /Google Chat refuses messages/],
  [
    'it is quiet until after the weekend',
    { quietHours: { ...NIGHT, businessDays: ['wed' as const] } },
    'Quiet until Wed 07:00',
    'Messages wait until then.',
  ],
  [
    'it is quiet for ever',
    { quietHours: { from: '00:00', to: '00:00', mode: 'hold' as const } },
    'Always quiet',
    'Its quiet hours never end: messages wait until somebody changes them.',
  ],
  [
    'it is quiet for ever and drops',
    { quietHours: { from: '00:00', to: '00:00', mode: 'drop' as const } },
    'Always quiet',
    'Messages are discarded.',
  ],
])('when %s, then the badge and the reason say so', (_name, given, state, reason) => {
  expect(viewOf(given)).toMatchObject({ state, reason: typeof reason === 'string' ? reason : expect.stringMatching(reason) });
});

test.each([
  ['it is broken', { health: 'broken' as const }, 'Google Chat refuses messages. Messages are kept for 24 hours and sent once'],
  [
    'it is broken for an hour',
    { health: 'broken' as const, holdHours: 1 },
    'Google Chat refuses messages. Messages are kept for 1 hour and',
  ],
  [
    'another space stands in',
    { health: 'broken' as const, fallbackWebhookId: 4 },
    'Google Chat refuses messages. Messages go to Board until the URL is replaced.',
  ],
  [
    'it is broken and says why',
    { health: 'broken' as const, healthReason: 'Deleted' },
    'Deleted. Messages are kept for 24 hours',
  ],
  ['it is paused', { paused: true }, 'Messages wait until you resume, for 24 hours at most.'],
])('when %s, then it says what becomes of the messages', (_name, given, words) => {
  expect(viewOf(given).reason).toContain(words);
});

test.each([
  ['is broken too', { health: 'broken' as const }],
  ['is paused', { paused: true }],
])('when another space would stand in, and %s, then it says that messages are kept', (trouble, another) => {
  const { reason } = viewOf({ health: 'broken', fallbackWebhookId: 4, holdHours: 12 }, false, another);

  expect(reason).toContain(`Messages are kept for 12 hours: Board, where they would go, ${trouble}.`);
});

test('when nothing was sent by the URL yet, then it does not count as working', () => {
  expect(viewOf({}, true)).toMatchObject({ state: 'Not used yet', tone: 'neutral' });
  expect(viewOf({ health: 'throttled' }, true).state).toBe('Slowed down');
});

test('when Google Chat refuses, then the reason is told in full, and the brief one without Google’s words', () => {
  const { reason, brief, canReplaceUrl } = viewOf({
    health: 'doubtful',
    healthReason: 'Google Chat does not let this webhook post.',
  });

  expect(reason).toBe('Google Chat does not let this webhook post.');
  expect([brief, canReplaceUrl]).toEqual(['Dealbell is trying again.', true]);
});
