import { WEBHOOK_ENTITIES } from '../../../src/core/record';
import {
  chooseOwner,
  failingWebhooks,
  planWebhooks,
  type RegisteredWebhook,
  type RegistrationState,
  type RemoteWebhook,
} from '../../../src/registration/wanted-webhooks';

const URL_ = 'https://d.example/webhook/pipedrive';

const aRow = (row: Partial<RegisteredWebhook> = {}): RegisteredWebhook => ({
  rowId: 1,
  connectionId: 1,
  remoteId: 101,
  eventObject: 'deal',
  ...row,
});
const aRemote = (remote: Partial<RemoteWebhook> = {}): RemoteWebhook => ({
  remoteId: 101,
  eventObject: 'deal',
  eventAction: '*',
  subscriptionUrl: URL_,
  version: '2.0',
  isActive: true,
  lastDelivery: null,
  ...remote,
});
const plan = (state: Partial<RegistrationState>) =>
  planWebhooks({ subscriptionUrl: URL_, ownerConnectionId: 1, rows: [], listed: [], ...state });

describe('planWebhooks', () => {
  test('when nothing exists, then one of each object is created', () => {
    expect(plan({})).toEqual({ create: [...WEBHOOK_ENTITIES], keep: [], removeNow: [], replace: [] });
  });

  test('when ours is listed as wanted, then it is kept', () => {
    const decided = plan({ rows: [aRow()], listed: [aRemote()] });

    expect(decided.keep).toEqual([aRow()]);
    expect(decided.create).not.toContain('deal');
    expect(decided.removeNow).toEqual([]);
  });

  test.each([
    ['is switched off', { isActive: false }],
    ['has another address', { subscriptionUrl: 'https://old.example/webhook/pipedrive' }],
    ['tells only of changes', { eventAction: 'change' }],
    ['is of version 1', { version: '1.0' }],
  ])('when ours %s, then it is replaced', (_name, remote) => {
    const decided = plan({ rows: [aRow()], listed: [aRemote(remote)] });

    expect(decided.create).toContain('deal');
    expect(decided.removeNow).toEqual([{ remoteId: 101, rowId: 1, connectionId: 1 }]);
  });

  test.each([
    ['vanished at Pipedrive', aRow()],
    ['never got an answer', aRow({ remoteId: null })],
  ])('when ours %s, then only the row goes and a new one is created', (_name, row) => {
    const decided = plan({ rows: [row] });

    expect(decided.create).toContain('deal');
    expect(decided.removeNow).toEqual([{ remoteId: null, rowId: 1, connectionId: 1 }]);
  });

  test('when two of ours are of one object, then one of them goes', () => {
    const decided = plan({ rows: [aRow(), aRow({ rowId: 2, remoteId: 102 })], listed: [aRemote(), aRemote({ remoteId: 102 })] });

    expect(decided.keep.map(({ rowId }) => rowId)).toEqual([1]);
    expect(decided.removeNow).toEqual([{ remoteId: 102, rowId: 2, connectionId: 1 }]);
  });

  test('when one has our address but no row, then it goes, since nobody knows its password', () => {
    expect(plan({ listed: [aRemote({ remoteId: 5 })] }).removeNow).toEqual([{ remoteId: 5, rowId: null, connectionId: null }]);
  });

  test('when one is of another party, then it is left alone', () => {
    const strangers = [
      aRemote({ remoteId: 5, subscriptionUrl: 'https://else.example/' }),
      aRemote({ remoteId: 6, subscriptionUrl: `${URL_}/x` }),
    ];

    const decided = plan({ rows: [aRow()], listed: [aRemote(), ...strangers] });

    expect([...decided.removeNow, ...decided.replace]).toEqual([]);
  });

  test('when ours stands under another connection, then it goes only after its successor, listed or not', () => {
    const rows = [aRow({ connectionId: 2 }), aRow({ rowId: 2, connectionId: 2, remoteId: 102, eventObject: 'lead' })];

    const decided = plan({ rows, listed: [aRemote()] });

    expect(decided.create).toEqual([...WEBHOOK_ENTITIES]);
    expect(decided.removeNow).toEqual([]);
    expect(decided.replace.map(({ remoteId, eventObject }) => [remoteId, eventObject])).toEqual([
      [101, 'deal'],
      [102, 'lead'],
    ]);
  });
});

describe('chooseOwner', () => {
  const admin = { id: 1, isAdmin: true };
  const otherAdmin = { id: 2, isAdmin: true };
  const member = { id: 3, isAdmin: false };

  test.each([
    ['nobody is connected', [], [], null],
    ['nothing is registered yet', [admin, member], [], admin],
    ['the present owner is an admin', [admin, otherAdmin], [aRow({ connectionId: 2 })], otherAdmin],
    ['the present owner is no admin and an admin is there', [admin, member], [aRow({ connectionId: 3 })], admin],
    ['the present owner is no admin and nobody is', [{ id: 4, isAdmin: false }, member], [aRow({ connectionId: 3 })], member],
    ['the present owner is gone', [member], [aRow({ connectionId: 1 })], member],
    [
      'a hand-over was broken off',
      [admin, otherAdmin],
      [aRow({ connectionId: 1 }), aRow({ connectionId: 2 }), aRow({ connectionId: 2 })],
      otherAdmin,
    ],
  ])('when %s, then the right one is chosen', (_name, candidates, rows, chosen) => {
    expect(chooseOwner(candidates, rows)).toBe(chosen);
  });
});

describe('failingWebhooks', () => {
  const at = '2026-11-26T12:00:00.000Z';

  test.each([
    ['was answered 200', { at, httpStatus: 200 }, []],
    ['was answered 503', { at, httpStatus: 503 }, [{ eventObject: 'deal', at, httpStatus: 503 }]],
    ['was not answered', { at, httpStatus: null }, [{ eventObject: 'deal', at, httpStatus: null }]],
    ['was never sent', null, []],
  ])('when the last event %s, then the webhook is failing or not', (_what, lastDelivery, failing) => {
    expect(failingWebhooks([aRow()], [aRemote({ lastDelivery })])).toEqual(failing);
  });

  test('when it is not one that stays, then it says nothing', () => {
    expect(failingWebhooks([], [aRemote({ lastDelivery: { at, httpStatus: 503 } })])).toEqual([]);
  });
});
