import { listedRecord } from '../../../src/reconciliation/listed-record';

test('when a list has bare custom fields, then they take the form of webhooks, by the types of the fields', () => {
  const custom_fields = {
    ...{ text: 'Call back', option: 17, options: [13, 14], person: { id: 5, name: 'x' }, empty: null, unknown: 3 },
    money: { value: 200, currency: 'EUR' },
  };
  const types = new Map([
    ['text', 'varchar'],
    ['option', 'enum'],
    ['options', 'set'],
    ['person', 'people'],
    ['empty', 'varchar'],
    ['money', 'monetary'],
  ]);

  const listed = listedRecord('deal', { id: 8, title: 'A', custom_fields }, types);

  expect(listed?.state['custom_fields']).toEqual({
    text: { type: 'varchar', value: 'Call back' },
    option: { type: 'enum', id: 17 },
    options: { type: 'set', values: [{ id: 13 }, { id: 14 }] },
    person: { type: 'people', id: 5 },
    money: { type: 'monetary', value: 200, currency: 'EUR' },
  });
});

test('when API v1 writes times in its own way, then they become those of webhooks; nothing else of its answer is taken', () => {
  const raw = { id: 4, content: 'Hi', add_time: '2026-11-25 14:05:00', update_time: '2026-11-25 14:05:01', user: { name: 'x' } };

  expect(listedRecord('note', raw)).toEqual({
    isDeleted: false,
    entity: 'note',
    entityId: '4',
    state: { id: 4, content: 'Hi', add_time: '2026-11-25T14:05:00Z', update_time: '2026-11-25T14:05:01Z' },
  });
});

test('when a record has no id, then it is none', () => {
  expect([listedRecord('deal', { title: 'A' }), listedRecord('lead', { id: '' })]).toEqual([null, null]);
});
