/** What single events and net changes mean: a table over every transition and the pitfalls of real payloads. */

import { RECORD_ENTITIES, type RecordState } from '../../../src/core/record';
import type { Transition } from '../../../src/core/transition';
import { changeOfEvent, deriveTransitions, netChange } from '../../../src/rules/derive-transitions';
import { aDealEvent, dealState } from '../../support/builders';

const KEY = '3e9bb7da4983ebebda9e19851cc6828af134e3c8';

const typesOf = (transitions: readonly Transition[]) => transitions.map((transition) => transition.type);

/** The transitions of one deal change. */
function changed(previous: RecordState, state: RecordState = {}): readonly Transition[] {
  return deriveTransitions(changeOfEvent('deal', aDealEvent({ previous, state }), null));
}

/** The same without the catch-all `deal.field_changed`. */
const named = (previous: RecordState, state: RecordState = {}) =>
  typesOf(changed(previous, state)).filter((type) => type !== 'deal.field_changed');

describe('a deal changes', () => {
  test.each<[string, RecordState, RecordState, readonly string[]]>([
    ['open to won', { status: 'open' }, { status: 'won' }, ['deal.won']],
    ['lost to won', { status: 'lost' }, { status: 'won' }, ['deal.won']],
    ['open to lost', { status: 'open', lost_reason: null }, { status: 'lost', lost_reason: 'Price' }, ['deal.lost']],
    ['won to lost', { status: 'won' }, { status: 'lost' }, ['deal.lost']],
    ['won to open', { status: 'won' }, {}, ['deal.reopened']],
    ['lost to open', { status: 'lost' }, {}, ['deal.reopened']],
    ['a null status before', { status: null }, { status: 'won' }, ['deal.won']],
    ['open to deleted is neither lost nor reopened', { status: 'open' }, { status: 'deleted' }, []],
    ['deleted to open is no reopening', { status: 'deleted' }, {}, []],
    ['the same status on both sides is noise', { status: 'won', title: 'Old' }, { status: 'won' }, []],
    ['an edit of a won deal', { value: 100, title: 'Old' }, { status: 'won', value: 100 }, []],
    ['an edit of a lost deal', { lost_reason: null }, { status: 'lost', lost_reason: 'Price' }, []],
    ['the stage', { stage_id: 10 }, { stage_id: 11 }, ['deal.stage_changed']],
    ['the stage of a won deal', { stage_id: 10 }, { status: 'won' }, ['deal.stage_changed']],
    ['the stage from null', { stage_id: null }, {}, ['deal.stage_changed']],
    ['the stage as number and text', { stage_id: '11' }, { stage_id: 11 }, []],
    ['pipeline and stage', { pipeline_id: 2, stage_id: 21 }, {}, ['deal.pipeline_changed']],
    ['pipeline alone', { pipeline_id: 2 }, {}, ['deal.pipeline_changed']],
    ['the same pipeline and another stage', { pipeline_id: 1, stage_id: 10 }, {}, ['deal.stage_changed']],
    ['the owner', { owner_id: 2 }, {}, ['deal.owner_changed']],
    ['the owner as text', { owner_id: '1' }, {}, []],
    ['the value set', { value: null }, {}, ['deal.value_changed']],
    ['the value cleared', { value: 100 }, { value: null }, ['deal.value_changed']],
    ['the value up', { value: 50 }, {}, ['deal.value_changed']],
    ['the value from 0', { value: 0 }, {}, ['deal.value_changed']],
    ['the value as text', { value: '100' }, {}, []],
    ['the currency only', { currency: 'USD' }, {}, ['deal.value_changed']],
    ['the currency of a deal without value', { currency: 'USD' }, { value: null }, []],
    ['the close date set', { expected_close_date: null }, { expected_close_date: '2026-12-01' }, ['deal.close_date_changed']],
    ['the close date cleared', { expected_close_date: '2026-12-01' }, {}, ['deal.close_date_changed']],
    [
      'the close date slipped',
      { expected_close_date: '2026-12-01' },
      { expected_close_date: '2026-12-20' },
      ['deal.close_date_changed'],
    ],
    ['a label added', { label_ids: [24] }, { label_ids: [24, 25] }, ['deal.label_added']],
    ['a first label', { label_ids: null }, { label_ids: [25] }, ['deal.label_added']],
    ['a label swapped', { label_ids: [24] }, { label_ids: [25] }, ['deal.label_added', 'deal.label_removed']],
    ['a label removed', { label_ids: [24, 25] }, { label_ids: [24] }, ['deal.label_removed']],
    ['the last label removed', { label_ids: [24] }, { label_ids: [] }, ['deal.label_removed']],
    ['archived', { is_archived: false }, { is_archived: true }, ['deal.archived']],
    ['back out of the archive', { is_archived: true }, { is_archived: false }, ['deal.restored']],
    ['labels in another order', { label_ids: [24, 25] }, { label_ids: [25, 24] }, []],
    ['labels as text and numbers', { label_ids: ['24'] }, { label_ids: [24] }, []],
    ['labels as one text', { label_ids: '24' }, { label_ids: '24,25' }, ['deal.label_added']],
    [
      'won, stage and value at once',
      { status: 'open', stage_id: 10, value: 1 },
      { status: 'won' },
      ['deal.won', 'deal.stage_changed', 'deal.value_changed'],
    ],
    ['nothing, with bookkeeping', { update_time: '2026-01-14T17:18:03Z', stage_change_time: null, close_time: null }, {}, []],
    ['nothing at all', {}, {}, []],
  ])('when %s, then exactly the named transitions are derived', (_name, previous, state, expected) => {
    expect(named(previous, state)).toEqual(expected);
  });

  test('when previous is null, then nothing is derived', () => {
    const event = { ...aDealEvent({ previous: {} }), previous: null };

    expect(deriveTransitions(changeOfEvent('deal', event, dealState({ stage_id: 99 })))).toEqual([]);
  });

  test('when the label changes, then only what was added is told', () => {
    const [label] = changed({ label_ids: [24, 26] }, { label_ids: [25, 24] });

    expect(label?.changes).toEqual([{ field: 'label_ids', from: [24, 26], to: [25] }]);
  });

  test('when the pipeline changes, then its transition carries the stage too', () => {
    const [moved] = changed({ pipeline_id: 2, stage_id: 21 });

    expect(moved?.changes).toEqual([
      { field: 'pipeline_id', from: 2, to: 1 },
      { field: 'stage_id', from: 21, to: 11 },
    ]);
  });

  test('when the currency alone changes, then both amounts keep their own currency', () => {
    const [value] = changed({ currency: 'USD' });

    expect(value?.changes).toEqual([
      { field: 'value', from: { amount: 100, currency: 'USD' }, to: { amount: 100, currency: 'EUR' } },
    ]);
  });
});

describe('a deal is won again', () => {
  test.each([
    ['the first win was earlier', true, '2026-01-01T10:00:00Z'],
    ['this is the first win', undefined, '2026-11-23T12:00:00Z'],
    ['no first win is known', undefined, null],
  ])('when %s, then again is %s', (_name, again, first_won_time) => {
    const [won] = changed({ status: 'open' }, { status: 'won', first_won_time, won_time: '2026-11-23T12:00:00Z' });

    expect(won?.type).toBe('deal.won');
    expect(won?.again).toBe(again);
  });
});

describe('any field of a deal changes', () => {
  const fieldsOf = (previous: RecordState, state: RecordState = {}) =>
    changed(previous, state)
      .filter((transition) => transition.type === 'deal.field_changed')
      .flatMap((transition) => transition.changes.map((change) => change.field));

  test('when several fields changed, then all are listed but bookkeeping', () => {
    const previous = { title: 'Old', stage_id: 10, update_time: 'x', close_time: null, id: 7, custom_fields: { [KEY]: null } };

    const fields = fieldsOf(previous, { custom_fields: { [KEY]: { type: 'enum', id: 3 } } });

    expect(fields).toEqual(['title', 'stage_id', KEY]);
  });

  test('when an option field carries the same option on both sides, then its presence counts', () => {
    const option = { custom_fields: { [KEY]: { id: 4581, type: 'enum' } } };

    expect(fieldsOf(option, option)).toEqual([KEY]);
  });

  test('when an option field was cleared, then its new value is null', () => {
    const [change] = changed({ custom_fields: { [KEY]: { id: 4581, type: 'enum' } } }, { custom_fields: { [KEY]: null } });

    expect(change?.changes).toEqual([{ field: KEY, from: { id: 4581, type: 'enum' }, to: null }]);
  });

  test.each([
    ['a field that says the same on both sides', { title: 'Acme licence' }, {}],
    ['labels in another order', { label_ids: [24, 25] }, { label_ids: [25, 24] }],
    ['custom fields that are no object', { custom_fields: [] }, { custom_fields: [] }],
    ['custom fields without a key', { custom_fields: {} }, {}],
  ])('when previous has %s, then no field changed', (_name, previous, state) => {
    expect(fieldsOf(previous, state)).toEqual([]);
  });
});

describe('a deal is created or deleted', () => {
  test.each([
    ['open', ['deal.created']],
    ['won', ['deal.won', 'deal.created']],
    ['lost', ['deal.lost', 'deal.created']],
  ])('when it is created as %s, then %j is derived', (status, expected) => {
    const event = aDealEvent({ action: 'create', state: { status } });

    expect(typesOf(deriveTransitions(changeOfEvent('deal', event, null)))).toEqual(expected);
  });

  test('when it is deleted, then only the deletion is derived, with its last state', () => {
    const event = aDealEvent({ action: 'delete', previous: dealState({ status: 'won' }) });

    const change = changeOfEvent('deal', event, null);

    expect(typesOf(deriveTransitions(change))).toEqual(['deal.deleted']);
    expect(change.before).toMatchObject({ title: 'Acme licence', status: 'won' });
  });

  test('when the deletion says little more than the id, then the last known state fills it up', () => {
    const event = aDealEvent({ action: 'delete', previous: { id: 8 } });

    expect(changeOfEvent('deal', event, dealState({ title: 'Known' })).before).toMatchObject({ id: 8, title: 'Known' });
  });

  test('when a deal comes from a lead, then the conversion replaces the creation', () => {
    const change = { entity: 'deal' as const, before: null, after: dealState(), previous: {}, convertedFromLeadId: 'lead' };

    expect(deriveTransitions(change)).toEqual([{ type: 'lead.converted', changes: [], relatedId: 'lead' }]);
  });

  test('when a deal swallowed another one, then the merge is all that is told', () => {
    const change = { ...changeOfEvent('deal', aDealEvent({ previous: { value: 5, stage_id: 2 } }), null), mergedFromId: '9' };

    expect(deriveTransitions(change)).toEqual([{ type: 'deal.merged', changes: [], relatedId: '9' }]);
  });
});

describe('other records', () => {
  const lead = { id: 'b1810230-6c0d-11ed-9826-a53d0eb706a5', title: 'Lead', is_archived: false };

  test.each([
    ['lead', { is_archived: false }, { is_archived: true }, ['lead.archived']],
    ['lead', { is_archived: 0 }, { is_archived: 1 }, ['lead.archived']],
    // The documentation's own sample of an amount change carries this noise.
    ['lead', { is_archived: true, value: { amount: 300, currency: 'EUR' } }, { is_archived: false }, []],
    ['lead', { is_archived: true }, { is_archived: false }, ['lead.restored']],
    ['lead', { is_archived: true, update_time: 'x' }, { is_archived: false }, ['lead.restored']],
    ['lead', { title: 'Old' }, { is_archived: true }, []],
    ['lead', { is_archived: true }, { is_archived: true }, []],
    ['activity', { done: false }, { done: true }, ['activity.completed']],
    ['activity', { done: '0' }, { done: '1' }, ['activity.completed']],
    ['activity', { done: true }, { done: false }, ['activity.reopened']],
    ['activity', { due_date: '2026-11-20' }, { due_date: '2026-11-24' }, ['activity.rescheduled']],
    ['activity', { due_time: null }, { due_time: { timezone_id: null, value: '14:00' } }, ['activity.rescheduled']],
    ['activity', { due_date: '2026-11-20' }, { due_date: '2026-11-24', done: true }, []],
    [
      'activity',
      { due_date: '2026-11-20', done: true },
      { due_date: '2026-11-24' },
      ['activity.reopened', 'activity.rescheduled'],
    ],
    ['activity', { due_date: '2026-11-20', done: false }, { due_date: '2026-11-24', done: true }, ['activity.completed']],
    ['activity', { subject: 'Old' }, { done: true }, []],
    ['person', { name: 'Old' }, { name: 'New' }, []],
    ['organization', { name: 'Old' }, { name: 'New' }, []],
    ['note', { content: 'Old' }, { content: 'New' }, []],
  ] as const)('when a %s changes from %j to %j, then %j is derived', (entity, previous, data, expected) => {
    const event = { ...aDealEvent({ entity, previous }), state: { ...lead, ...data } };

    expect(typesOf(deriveTransitions(changeOfEvent(entity, event, null)))).toEqual(expected);
  });

  test.each([
    ['lead', {}, ['lead.created']],
    ['person', {}, ['person.created']],
    ['organization', {}, ['organization.created']],
    ['note', {}, ['note.created']],
    ['activity', { done: false }, ['activity.created']],
    ['activity', { done: true }, ['activity.completed', 'activity.created']],
  ] as const)('when a %s with %j is created, then %j is derived', (entity, data, expected) => {
    const event = { ...aDealEvent({ entity, action: 'create' }), state: data };

    expect(typesOf(deriveTransitions(changeOfEvent(entity, event, null)))).toEqual(expected);
  });

  test.each([
    [{ is_archived: true }, ['lead.restored']],
    [{ is_archived: false }, []],
  ])('when a lead that was known as %j comes with is_archived among other old values, then %j is derived', (known, expected) => {
    const previous = { is_archived: true, title: 'Old' };
    const event = { ...aDealEvent({ entity: 'lead', previous }), state: lead };

    expect(typesOf(deriveTransitions(changeOfEvent('lead', event, known)))).toEqual(expected);
  });

  test('when a record is deleted, then that is derived', () => {
    const event = aDealEvent({ action: 'delete', previous: { id: 1 } });

    const derived = RECORD_ENTITIES.map((entity) => typesOf(deriveTransitions(changeOfEvent(entity, event, null))));

    expect(derived).toEqual(RECORD_ENTITIES.map((entity) => [`${entity}.deleted`]));
  });
});

describe('the net change between two states', () => {
  test('when a custom field is unset on one side and absent on the other, then nothing changed', () => {
    const before = dealState({ custom_fields: {} });
    const after = dealState({ custom_fields: { [KEY]: null } });

    expect(deriveTransitions(netChange('deal', before, after))).toEqual([]);
  });

  test('when an object has its keys in another order, then nothing changed', () => {
    const before = dealState({ custom_fields: { [KEY]: { type: 'enum', id: 3 } } });
    const after = dealState({ custom_fields: { [KEY]: { id: 3, type: 'enum' } } });

    expect(deriveTransitions(netChange('deal', before, after))).toEqual([]);
  });

  test('when status and stage differ, then both are derived', () => {
    const net = netChange('deal', dealState({ stage_id: 10 }), dealState({ status: 'won' }));

    expect(typesOf(deriveTransitions(net))).toEqual(['deal.won', 'deal.stage_changed', 'deal.field_changed']);
  });

  test('when the record came and went, then nothing is derived', () => {
    expect(deriveTransitions(netChange('deal', null, null))).toEqual([]);
  });

  test('when webhooks were missed, then the state before a change is that of the event and not the last known one', () => {
    const lagging = dealState({ status: 'open', stage_id: 2 });
    const event = aDealEvent({ previous: { title: 'Old' }, state: { status: 'won', title: 'New' } });

    const { before } = changeOfEvent('deal', event, lagging);

    expect(before).toMatchObject({ status: 'won', stage_id: 11, title: 'Old' });
  });
});
