/** Many changes told as one message: counted, summed, named and linked, within Chat's bounds, harmless whatever Pipedrive's people write. */

import fc from 'fast-check';
import type { FoldKind } from '../../../src/core/delivery';
import { NO_RATES, type ExchangeRates } from '../../../src/core/exchange-rates';
import type { RecordState } from '../../../src/core/record';
import { EVENT_TYPES, type EventType, type RecordChange } from '../../../src/core/transition';
import { groupChanges } from '../../../src/messages/group-changes';
import { NO_NAMES, referenceKey, type Named, type NamedEntity } from '../../../src/messages/names';
import {
  foldReferences,
  nameBytes,
  namesFitText,
  renderFold,
  renderPlainFold,
  WON_NAMES_BYTES,
} from '../../../src/messages/render-fold';
import { aChange, aDeal, aTenant } from '../../fixtures/record-changes';
import { faultsOf, visibleText } from './message-checks';

const NOON_MS = Date.parse('2026-11-23T12:00:00Z');

function named(...items: readonly (readonly [NamedEntity, number, string])[]) {
  const whole = (name: string): Named => ({ name, pipelineId: '1', position: 1, fieldType: null, options: new Map() });
  return new Map(items.map(([entity, id, name]) => [referenceKey(entity, id), whole(name)]));
}

const NAMES = named(
  ['user', 1, 'Alice Moreau'],
  ['user', 2, 'Ben Okafor'],
  ['stage', 12, 'Negotiation'],
  ['stage', 13, 'Proposal'],
);

let lastId = 100;
function changed(type: EventType, state: RecordState = {}, actorUserId: number | null = 1): RecordChange {
  lastId += 1;
  const title = `Deal ${lastId}`;
  const change = aChange(type);
  const entityId = change.entity === 'deal' ? String(lastId) : change.entityId;
  const base = change.entity === 'deal' ? aDeal({ id: lastId, title, value: lastId }) : change.state;
  return { ...change, entityId, state: { ...base, ...state }, actorUserId, occurredAt: new Date(NOON_MS + lastId) };
}
const many = (count: number, type: EventType, state: (index: number) => RecordState = () => ({}), actor: number | null = 1) =>
  Array.from({ length: count }, (_, index) => changed(type, state(index), actor));

function subjectOf(changes: readonly RecordChange[], kind: FoldKind = 'backlog', rates = NO_RATES) {
  return { kind, changes, rates, tenant: aTenant(), destination: { locale: null, timeZone: null } };
}
function fold(...subject: Parameters<typeof subjectOf>) {
  return renderFold(subjectOf(...subject), NAMES);
}
const said = (changes: readonly RecordChange[], kind: FoldKind = 'backlog') => visibleText(fold(changes, kind));

test('when 37 deals were moved, then the card says who, where, how many and how much, shows five and counts the others', () => {
  const changes = many(37, 'deal.stage_changed', (index) => ({ value: 1_000 * (index + 1), title: `Rank ${37 - index}` }));

  const message = fold(changes);

  const text = visibleText(message);
  expect(faultsOf(message)).toEqual([]);
  expect(message.fallbackText).toBe('Alice Moreau moved 37 deals to Negotiation · €703,000 in all');
  expect(text).toContain('37 deals moved');
  expect(text).toMatch(/Rank 1\n€37,000 · Alice Moreau[\s\S]*Rank 5\n[\s\S]*and 32 more/);
  expect(JSON.stringify(message)).toContain(`https://acme.pipedrive.com/deal/${changes[36]?.entityId ?? ''}`);
  expect(JSON.stringify(message)).toContain('https://acme.pipedrive.com/deals');
  expect(JSON.stringify(message)).not.toContain('threadKey');
});

const asOf = new Date(NOON_MS);
const RATES: ExchangeRates = {
  base: 'EUR',
  perUnit: new Map([
    ['USD', { rate: 0.9, asOf }],
    ['SEK', { rate: 0.1, asOf }],
  ]),
};

test('when amounts of several currencies can be converted, then they are summed in the company’s own, and the most valuable stand out', () => {
  const changes = [
    ...many(3, 'deal.stage_changed', (index) => ({ value: 100, currency: 'EUR', title: `Euro ${index}` })),
    ...many(2, 'deal.stage_changed', (index) => ({ value: 200, currency: 'USD', title: `Dollar ${index}` })),
    ...many(5, 'deal.stage_changed', (index) => ({ value: 500, currency: 'SEK', title: `Krona ${index}` })),
  ];

  const message = fold(changes, 'backlog', RATES);

  expect(message.fallbackText).toBe('Alice Moreau moved 10 deals to Negotiation · €910 in all, converted');
  expect(visibleText(message)).toMatch(/Dollar \d[\s\S]*Dollar \d[\s\S]*Euro \d[\s\S]*Euro \d[\s\S]*Euro \d[\s\S]*and 5 more/);
});

test('when a converted sum has cents, then it is rounded, since nobody agreed on them', () => {
  const changes = [
    ...many(1, 'deal.stage_changed', () => ({ value: 100, currency: 'EUR' })),
    ...many(1, 'deal.stage_changed', () => ({ value: 1_234, currency: 'SEK' })),
  ];

  expect(fold(changes, 'backlog', RATES).fallbackText).toMatch(/ · €\d{3} in all, converted$/);
});

test('when the title says what happened already, then the card goes on with the sum', () => {
  const { cardsV2 } = fold(many(12, 'deal.won', () => ({ value: 100, currency: 'EUR' })));

  const text = JSON.stringify(cardsV2);
  expect(text.match(/12 deals won/g)).toHaveLength(1);
  expect(text).toContain('€1,200 in all');
});

test('when a group is one deal, then its value stands at the deal alone', () => {
  const { cardsV2 } = fold([changed('deal.lost', { value: 61_500 }), changed('deal.created', { value: 9_000 })], 'daily');

  expect(JSON.stringify(cardsV2).match(/€61,500/g)).toHaveLength(1);
});

test('when the rate of one currency is not known, then nothing is converted', () => {
  const changes = [
    ...many(3, 'deal.stage_changed', () => ({ value: 100, currency: 'EUR' })),
    ...many(2, 'deal.stage_changed', () => ({ value: 200, currency: 'GBP' })),
  ];

  expect(visibleText(fold(changes, 'backlog', RATES))).toContain('€300 + £400 in all');
});

test('when amounts are of several currencies, then each is summed by itself and nothing is added up', () => {
  const text = said([
    ...many(3, 'deal.stage_changed', () => ({ value: 100, currency: 'EUR' })),
    ...many(2, 'deal.stage_changed', () => ({ value: 0.1, currency: 'USD' })),
    changed('deal.stage_changed', { value: null }),
  ]);

  expect(text).toContain('€300 + $0.20 in all');
});

test('when several people moved deals to several stages, then each stands by itself, wins first', () => {
  const groups = groupChanges(
    [...many(2, 'deal.stage_changed', () => ({ stage_id: 13 }), 2), ...many(3, 'deal.stage_changed'), changed('deal.won', {}, 2)],
    NO_RATES,
  );

  expect(groups.map(({ type, changes }) => [type, changes.length])).toEqual([
    ['deal.won', 1],
    ['deal.stage_changed', 3],
    ['deal.stage_changed', 2],
  ]);
});

test('when too many people did too many things, then people are told together', () => {
  const changes = Array.from({ length: 40 }, (_, index) => changed('deal.created', {}, index + 1));

  expect(groupChanges(changes, NO_RATES)).toHaveLength(1);
  expect(said(changes)).toContain('40 deals added');
});

test('when a record changed twice, then the last change counts', () => {
  const first = changed('deal.stage_changed', { stage_id: 13 });
  const second = { ...first, state: { ...first.state, stage_id: 12 }, occurredAt: new Date(first.occurredAt.getTime() + 1) };

  const text = said([second, first, changed('deal.stage_changed')]);

  expect(text).toContain('Alice Moreau moved 2 deals to Negotiation');
  expect(text).not.toContain('Proposal');
});

/** One deal's changes, a minute after each other; its title is `title`. */
function lived(title: string, types: readonly EventType[], state: RecordState = {}): readonly RecordChange[] {
  const born = changed(types[0] ?? 'deal.won', { title, ...state });
  const at = (index: number) => new Date(born.occurredAt.getTime() + index * 60_000);
  return types.map((type, index) => ({ ...aChange(type), ...born, transition: aChange(type).transition, occurredAt: at(index) }));
}

test('when deals were won, reopened and one of them won again, then each line says what came after it', () => {
  const text = said([
    ...lived('Harbour', ['deal.won', 'deal.reopened', 'deal.won'], { value: 300 }),
    ...lived('Lighthouse', ['deal.won', 'deal.reopened'], { value: 200 }),
  ]);

  const [won, reopened] = text.split(/reopened 2 deals/);
  expect(won).toMatch(
    /2 deals won\n€500 in all\nHarbour\n€300 · Alice Moreau\nLighthouse\n€200 · Alice Moreau · then reopened\n/,
  );
  expect(reopened).toMatch(/Harbour\n€300 · Alice Moreau · then won\nLighthouse\n€200 · Alice Moreau\n/);
});

test('when changes of a record are of one moment, or there is nothing but one kind of them, then none is said to have come after another', () => {
  const [first, second] = lived('Harbour', ['deal.created', 'deal.won']);
  const changes = first === undefined || second === undefined ? [] : [first, { ...second, occurredAt: first.occurredAt }];

  expect(changes).toHaveLength(2);
  expect(said([...changes, ...lived('Lighthouse', ['deal.won', 'deal.won'])])).not.toContain('then ');
});

test('when a deal was reopened and moved after it was won, then the line tells both, and the notification how it ended', () => {
  const changes = lived('Harbour', ['deal.created', 'deal.won', 'deal.reopened', 'deal.stage_changed']);

  const text = said(changes);

  expect(text).toContain('· then won, reopened, moved\n');
  expect(text).toContain('· then reopened, moved\n');
  expect(fold(changes).fallbackText).toMatch(/^1 deal won · €\d+ · then reopened; /);
});

/** 300 deals: a third of them stays won, a third is reopened, a third is won again after that. */
function threeHundred(): readonly RecordChange[] {
  const lives = [['deal.won'], ['deal.won', 'deal.reopened'], ['deal.won', 'deal.reopened', 'deal.won']] as const;
  return Array.from({ length: 300 }, (_, index) => lived(`Win no. ${index};`, lives[index % 3] ?? [], { value: 10 })).flat();
}

test('when 300 deals were won, some reopened and some won again, then the card names all and tells apart how they ended', () => {
  const message = fold(threeHundred());

  const text = visibleText(message);
  const won = text.slice(text.indexOf('300 deals won'), text.indexOf('reopened 200 deals'));
  const [stayed, ...undone] = won.split('Then reopened: ');
  const endedOf = (titles = '') => [...titles.matchAll(/Win no\. (\d+);/g)].map(([, number]) => Number(number) % 3);
  expect(faultsOf(message)).toEqual([]);
  expect(won).toContain('€3,000 in all · 100 then reopened');
  expect(text).toContain('€2,000 in all · 100 then won');
  expect(endedOf(undone.join('\n'))).toEqual(Array.from({ length: 100 }, () => 1));
  expect(endedOf(stayed)).toHaveLength(200);
  expect(endedOf(stayed)).not.toContain(1);
});

test('when not even short names of all deals won have room, then how many are left out is said in a line of its own, whatever became of them', () => {
  const changes = Array.from({ length: 700 }, (_, n) => lived(`Win no. ${n}`, ['deal.won', 'deal.reopened'])).flat();
  const message = renderPlainFold(subjectOf(changes), NAMES);

  const [, names = '', more = ''] = /\nWon, then reopened: (.*)\nand (\d+) more deals won\n/.exec(message.text ?? '') ?? [];
  expect(names.split(' · ').length + Number(more)).toBe(700);
  expect(faultsOf(message)).toEqual([]);
});

test('when deals won were reopened and Chat does not take the card, then the plain text tells them apart', () => {
  const text = renderPlainFold(subjectOf(threeHundred().slice(0, 60)), NAMES).text ?? '';

  expect(text).toMatch(
    /🏆 30 deals won · €300 in all · 10 then reopened\n🔄 Alice Moreau reopened 20 deals · €200 in all · 10 then won\n/,
  );
  expect(text).toMatch(/\nWon: (Win no\. \d+;( · )?){20}\nWon, then reopened: (Win no\. \d+;( · )?){10}\n/);
});

/** 30 deals, to each of which twelve things happened, from another one on: so each kind of change ended in many ways. */
function livelyWeek(): readonly RecordChange[] {
  const types = EVENT_TYPES.filter((type) => type.startsWith('deal.')).slice(0, 12);
  return Array.from({ length: 30 }, (_, index) => {
    const first = index % types.length;
    return lived(`Deal ${index}`, [...types.slice(first), ...types.slice(0, first)]);
  }).flat();
}

test('when a digest tells many kinds of changes of deals that ended in many ways, then it keeps to the widgets that Chat shows', () => {
  const message = fold(livelyWeek(), 'weekly');

  expect(faultsOf(message)).toEqual([]);
  expect(visibleText(message)).toContain('Open deals');
});

test.each([12, 40, 300])('when %i deals were won amid others, then each is named', (count) => {
  const changes = [...many(count, 'deal.won', (index) => ({ title: `Win no. ${index};` })), ...many(50, 'deal.created')];

  const message = fold(changes);

  expect(faultsOf(message)).toEqual([]);
  const text = visibleText(message);
  expect(changes.slice(0, count).filter((_, index) => !text.includes(`Win no. ${index};`))).toEqual([]);
});

test('when Chat does not take the card, then the plain text still names every deal won', () => {
  const changes = [...many(100, 'deal.won', (index) => ({ title: `Win no. ${index};` })), ...many(50, 'deal.created')];

  const message = renderPlainFold(subjectOf(changes), NAMES);

  expect(faultsOf(message)).toEqual([]);
  expect(changes.slice(0, 100).filter((_, index) => !(message.text ?? '').includes(`Win no. ${index};`))).toEqual([]);
});

test.each([
  [60, true],
  [120, false],
])('when %i deals were won, then it is known whether text has room for names that tell them apart', (count, fits) => {
  const changes = many(count, 'deal.won', (index) => ({ title: `Renewal of the service contract no. ${index}` }));
  const subject = subjectOf(changes);

  expect(namesFitText(subject)).toBe(fits);
  expect(namesFitText({ ...subject, changes: many(300, 'deal.created') })).toBe(true);
});

test.each([
  ['quiet', '3 changes in quiet hours'],
  ['daily', 'Daily digest: 3 changes'],
  ['weekly', 'Weekly digest: 3 changes'],
] as const)('when it is a digest of the kind %s, then its title says so', (kind, title) => {
  const changes = [changed('deal.won'), changed('deal.lost'), changed('note.created')];

  expect(said(changes, kind)).toContain(title);
  expect(faultsOf(fold(changes, kind))).toEqual([]);
});

test('when what is told was found by the reconciliation, then the card says that it is late', () => {
  const late = changed('deal.won');

  const text = said([
    { ...late, transition: { ...late.transition, cause: { changeSource: null, isBulkEdit: false, isLate: true } } },
  ]);

  expect(text).toContain('told late');
});

test('when nothing can be named, then no id stands in for a name', () => {
  const changes = many(20, 'deal.stage_changed', () => ({ owner_id: 987654, stage_id: 876543 }), 987654);
  const subject = subjectOf(changes);

  const text = visibleText(renderFold(subject, NO_NAMES));

  expect(text).toContain('20 deals moved to another stage');
  expect(text).not.toMatch(/987654|876543/);
});

test('when names are gathered, then those of people, places and of what is shown are asked for, not those of all', () => {
  const changes = many(500, 'deal.stage_changed', (index) => ({ owner_id: index + 1 }));

  const references = foldReferences(changes, NO_RATES).map(({ entity, id }) => `${entity}:${id}`);

  expect(references).toEqual(expect.arrayContaining(['user:1', 'stage:12', 'user:500']));
  expect(references.length).toBeLessThan(40);
});

const hostile = fc.oneof(
  fc.constantFrom(
    '<users/all>',
    '<https://evil|Invoice>',
    '"&<b>\'',
    '"'.repeat(5_000),
    '\u202Egpj',
    '👨‍👩‍👧‍👦'.repeat(300),
    '   ',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
);

test('when titles, names and reasons are hostile, then every fold fits Chat and holds nothing that it takes for markup', () => {
  const anything = fc.record({
    title: hostile,
    name: hostile,
    count: fc.integer({ min: 1, max: 120 }),
    types: fc.array(fc.constantFrom(...EVENT_TYPES), { minLength: 1, maxLength: 21 }),
    currency: fc.constantFrom('EUR', 'USD', '<x>', null),
    kind: fc.constantFrom<FoldKind>('backlog', 'quiet', 'daily', 'weekly'),
    records: fc.constantFrom(1, 7, 40, 1_000_000),
  });
  fc.assert(
    fc.property(anything, ({ title, name, count, types, currency, kind, records }) => {
      const names = named(['user', 1, name], ['stage', 12, name], ['pipeline', 1, name]);
      const state = { title, subject: title, name: title, content: title, lost_reason: title, currency };
      let wonBytes = 0;
      const room = types.every((type) => type === 'deal.won') ? WON_NAMES_BYTES.alone : WON_NAMES_BYTES.amidOthers;
      const changes = Array.from({ length: count }, (_, index) =>
        changed(types[index % types.length] ?? 'deal.won', state),
      ).filter(({ transition }) => transition.type !== 'deal.won' || (wonBytes += nameBytes(title)) <= room);
      // Some of them are told of one record, one change after the other.
      const few = changes.map((change) => ({
        ...change,
        entityId: String(Number(change.entityId) % records || change.entityId),
      }));
      const subject = subjectOf(few, kind);
      expect(faultsOf(renderFold(subject, names))).toEqual([]);
      expect(faultsOf(renderPlainFold(subject, names))).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
