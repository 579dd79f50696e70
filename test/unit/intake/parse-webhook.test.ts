/** Bodies as Pipedrive sends them, and as it might: what each is taken for. */

import { readFileSync, readdirSync } from 'node:fs';
import { parseWebhook, type ParsedWebhook, type PipedriveEvent } from '../../../src/core/pipedrive-event';
import { at, aDealWebhook, aWebhook, dealState } from '../../support/builders';
import { sharedDataPath } from '../../support/shared-data';

const LEAD = 'b1810230-6c0d-11ed-9826-a53d0eb706a5';

const parsed = (body: unknown): ParsedWebhook =>
  parseWebhook(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));

function eventOf(result: ParsedWebhook): PipedriveEvent {
  if (result.kind !== 'event') throw new Error(`the body was ${result.kind}: ${result.reason}`);
  return result.event;
}

describe('events', () => {
  test('when a deal changes, then both states and who did it are read', () => {
    const { body } = aDealWebhook({
      previous: { stage_id: 427 },
      data: { stage_id: 428 },
      meta: { user_id: '12', correlation_id: 'c', is_bulk_edit: true },
    });

    expect(eventOf(parseWebhook(body))).toMatchObject({
      ...{
        entity: 'deal',
        entityId: '8',
        action: 'change',
        actorUserId: 12,
        correlationId: 'c',
        isBulkEdit: true,
        changeSource: 'app',
      },
      ...{ occurredAt: at(0), previous: { stage_id: 427 }, state: { stage_id: 428 } },
    });
  });

  test('when a lead goes, then its UUID is its id and its last state is in previous', () => {
    const { body } = aWebhook({ entity: 'lead', id: LEAD, action: 'delete', previous: { title: 'Lead' } });

    expect(eventOf(parseWebhook(body))).toMatchObject({
      entityId: LEAD,
      action: 'delete',
      state: null,
      previous: { title: 'Lead' },
    });
  });

  test('when a deletion carries data, then it is a deletion all the same', () => {
    const { body } = aWebhook({ action: 'delete', data: dealState(), previous: dealState() });

    expect(eventOf(parseWebhook(body)).state).toBeNull();
  });

  test('when halves of a merge come, then each names the other', () => {
    expect(eventOf(parseWebhook(aDealWebhook({ meta: { merged_from_id: '9' } }).body)).mergedFromId).toBe('9');
    expect(eventOf(parseWebhook(aDealWebhook({ meta: { merged_to_id: 9 } }).body)).mergedToId).toBe('9');
  });

  test('when meta lacks everything that may be missing, then the event is read without it', () => {
    const meta = { action: 'create', entity: 'deal', entity_id: 8, timestamp: at(0).toISOString() };

    expect(eventOf(parsed({ meta, data: { id: 8 } }))).toMatchObject({
      ...{ entityId: '8', metaId: '', actorUserId: null, correlationId: null, isBulkEdit: false, changeSource: null },
      ...{ mergedToId: null, mergedFromId: null, previous: null },
    });
  });

  test.each([
    ['user_id', { id: 1 }],
    ['user_id', ''],
    ['user_id', 'automation'],
    ['correlation_id', 12],
    ['is_bulk_edit', 'yes'],
    ['change_source', {}],
    ['merged_to_id', ''],
    ['id', null],
    ['attempt', 'third'],
    ['permitted_user_ids', null],
  ])('when meta.%s is %j, then the event is still one', (field, value) => {
    const event = eventOf(parseWebhook(aDealWebhook({ meta: { [field]: value } }).body));

    expect(event).toMatchObject({ actorUserId: field === 'user_id' ? null : 1, mergedToId: null });
  });

  test.each([
    ['a list instead of the old values', { data: dealState(), previous: [] }],
    ['a text instead of the old values', { data: dealState(), previous: 'none' }],
  ])('when there is %s, then the event is still one', (_name, bodies) => {
    expect(eventOf(parseWebhook(aWebhook({ ...bodies, action: 'change' }).body)).previous).toBeNull();
  });
});

describe('timestamps', () => {
  test.each([
    ['ISO with milliseconds', '2026-05-27T06:54:41.426Z', '2026-05-27T06:54:41.426Z'],
    ['ISO with an offset', '2026-05-27T08:54:41+02:00', '2026-05-27T06:54:41.000Z'],
    ['seconds, as user events have it', 1_669_304_204, '2022-11-24T15:36:44.000Z'],
    ['seconds as text', '1669304204', '2022-11-24T15:36:44.000Z'],
    ['milliseconds', 1_669_304_204_123, '2022-11-24T15:36:44.123Z'],
    ['the epoch', 0, '1970-01-01T00:00:00.000Z'],
  ])('when it is %s, then it is that moment', (_name, timestamp, expected) => {
    expect(eventOf(parseWebhook(aDealWebhook({ meta: { timestamp } }).body)).occurredAt.toISOString()).toBe(expected);
  });

  test.each([
    ['a year that PostgreSQL and JSON write differently', '+010000-01-01T00:00:00Z'],
    ['before the epoch', '1969-12-31T23:59:59Z'],
    ['a negative number', -5],
    ['a number beyond all dates', 1e300],
    ['no date', 'yesterday'],
    ['missing', undefined],
    ['null', null],
    ['a list', [1]],
  ])('when it is %s, then the body is no webhook', (_name, timestamp) => {
    expect(parseWebhook(aDealWebhook({ meta: { timestamp } }).body)).toMatchObject({
      kind: 'invalid',
      reason: expect.stringContaining('timestamp'),
    });
  });
});

describe('no webhooks', () => {
  test.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['a form', 'a=b&c=d'],
    ['JSON cut in half', '{"meta":{"action":'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an object without meta', '{"data":{}}'],
    ['a meta that is a list', '{"meta":[]}'],
    ['an empty meta', '{"meta":{}}'],
    [
      'an id with a slash',
      JSON.stringify({ meta: { action: 'create', entity: 'deal', entity_id: '8/9', timestamp: 1 }, data: {} }),
    ],
    [
      'an id that is no whole number',
      JSON.stringify({ meta: { action: 'create', entity: 'deal', entity_id: 8.5, timestamp: 1 }, data: {} }),
    ],
    [
      'an entity with a quote',
      JSON.stringify({ meta: { action: 'create', entity: "de'al", entity_id: 8, timestamp: 1 }, data: {} }),
    ],
  ])('when the body is %s, then it is invalid', (_name, body) => {
    expect(parsed(body).kind).toBe('invalid');
  });

  test('when the body is not UTF-8, then parsing does not throw', () => {
    expect(parseWebhook(Buffer.from([0xff, 0xfe, 0x00, 0x7b])).kind).toBe('invalid');
  });
});

describe('ignored webhooks', () => {
  test('when the body has the v1 format, then it is named as far as it can be', () => {
    const v1 = {
      v: 1,
      event: 'updated.deal',
      meta: { v: 1, action: 'updated', object: 'deal', id: 8, timestamp: 1_700_000_000 },
      current: { id: 8 },
      previous: {},
    };

    expect(parsed(v1)).toMatchObject({
      kind: 'ignored',
      reason: expect.stringContaining('v1'),
      event: { entity: 'deal', entityId: '8', metaId: 'v1.updated' },
    });
  });

  test.each([
    ['without a version', { meta: { action: 'added', object: 'deal', id: 8, timestamp: 1 }, current: {}, previous: null }],
    ['without an object', { v: 1, meta: { v: 1 }, current: {} }],
    ['without a time', { v: 1, meta: { action: 'added', object: 'deal', id: 8 }, current: {} }],
  ])('when a v1 body comes %s, then it is ignored and not refused', (_name, body) => {
    expect(parsed(body).kind).toBe('ignored');
  });

  test.each([
    [{ action: 'create', data: null }],
    [{ action: 'change', data: null, previous: { title: 'x' } }],
    [{ action: 'change', data: [], previous: {} }],
    [{ action: 'merge', data: {} }],
  ])('when a webhook is %j, then it is ignored with a reason', (given) => {
    expect(parseWebhook(aWebhook(given).body)).toMatchObject({ kind: 'ignored', reason: expect.any(String) });
  });

  test.each([100, 100_000])('when a body is nested %d levels deep, then it is ignored before anybody walks down', (levels) => {
    const deep = `${'['.repeat(levels)}${']'.repeat(levels)}`;
    const body = aDealWebhook({ previous: { title: 'DEEP' } })
      .body.toString()
      .replace('"DEEP"', deep);

    expect(parsed(body)).toMatchObject({ kind: 'ignored', event: null });
  });
});

describe('text that no database holds', () => {
  test.each([
    ['a NUL', 'a\0b', 'ab'],
    ['half a pair', 'a\ud800b', 'a\ufffdb'],
    ['the other half', 'a\udc00b', 'a\ufffdb'],
    ['a whole pair', 'a\ud83c\udf89b', 'a\ud83c\udf89b'],
  ])('when a title has %s, then it is cleaned', (_name, title, clean) => {
    const { body } = aDealWebhook({ data: { title, custom_fields: { [title]: [title] } } });

    const { state } = eventOf(parseWebhook(body));

    expect(state).toMatchObject({ title: clean, custom_fields: { [clean]: [clean] } });
  });
});

describe('the samples of shared data', () => {
  const folder = sharedDataPath('pipedrive/webhooks');
  const files = folder === null ? [] : readdirSync(folder).filter((name) => /^v2-(doc|real|constructed)-[a-z]+-/.test(name));
  const whole = files.filter((name) => !/partial|shapes|headers/.test(name));

  (whole.length === 0 ? test.skip : test)('when a whole sample is parsed, then it is an event of its entity', () => {
    for (const name of whole) {
      const event = eventOf(parseWebhook(readFileSync(`${String(folder)}/${name}`)));
      const [, entity, action] = /^v2-doc-([a-z]+)-(create|change|delete)/.exec(name) ?? [];
      if (entity !== undefined) expect([name, event.entity, event.action]).toEqual([name, entity, action]);
      expect(event.state ?? event.previous).not.toBeNull();
    }
  });

  const partial = files.filter((name) => name.includes('partial'));
  (partial.length === 0 ? test.skip : test)('when a partial sample is completed by its missing meta, then it is an event', () => {
    for (const name of partial) {
      const sample: { meta: object } = JSON.parse(readFileSync(`${String(folder)}/${name}`, 'utf8'));

      expect(parsed({ ...sample, meta: { ...sample.meta, timestamp: at(0).toISOString() } }).kind).toBe('event');
    }
  });
});
