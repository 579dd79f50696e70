import { compareCards, type ArrivedCard, type ExpectedCard } from '../../sandbox/compare-cards';

const NOTHING_ELSE = { ids: new Set<number>(), earlier: [] };
const WON: ExpectedCard = { space: '#wins', says: ['Deal won', 'Linen'] };

function aCard(space: string, title: string, subtitle: string, threadName = 'spaces/A/threads/1'): ArrivedCard {
  const card = { header: { title, subtitle }, sections: [{ widgets: [{ textParagraph: { text: '<b>A &amp; B</b>' } }] }] };
  return { space, threadName, message: { cardsV2: [{ cardId: 'card', card }] } };
}

test('exactly the expected card is no fault', () => {
  expect(compareCards([WON], [aCard('#wins', 'Deal won', 'Linen')], NOTHING_ELSE)).toEqual([]);
});

test('words are compared without markup', () => {
  const faults = compareCards([{ space: '#wins', says: ['A & B'] }], [aCard('#wins', 'Deal won', 'Linen')], NOTHING_ELSE);

  expect(faults).toEqual([]);
});

test('a missing, an extra and a misplaced card are faults', () => {
  expect(compareCards([WON], [], NOTHING_ELSE)).toEqual([expect.stringContaining('missing')]);
  expect(compareCards([], [aCard('#wins', 'Deal won', 'Linen')], NOTHING_ELSE)).toEqual([
    expect.stringContaining('not expected'),
  ]);
  expect(compareCards([WON], [aCard('#team', 'Deal won', 'Linen')], NOTHING_ELSE)).toHaveLength(2);
});

test('the wrong order in one space is a fault', () => {
  const expected = [WON, { space: '#wins', says: ['Towels'] }];

  const faults = compareCards(
    expected,
    [aCard('#wins', 'Deal won', 'Towels'), aCard('#wins', 'Deal won', 'Linen')],
    NOTHING_ELSE,
  );

  expect(faults).toHaveLength(2);
});

test('words that must not stand there, ids and leftovers are faults', () => {
  const ids = new Set([12_415_001]);
  const faultsOf = (subtitle: string) =>
    compareCards([{ space: '#wins', says: [], hides: ['old value'] }], [aCard('#wins', 'Deal won', subtitle)], {
      ids,
      earlier: [],
    });

  expect(faultsOf('the old value')).toEqual([expect.stringContaining('old value')]);
  expect(faultsOf('12415001')).toEqual([expect.stringContaining('the id 12415001')]);
  expect(faultsOf('undefined')).toEqual([expect.stringContaining('not for people')]);
  expect(faultsOf('<users/all>')).toEqual([expect.stringContaining('mentions')]);
  expect(faultsOf('€12,415,001')).toEqual([]);
});

test('a reply outside the thread of its record is a fault', () => {
  const expected = [{ space: '#desk', says: ['Note'], answers: 'Linen' }];
  const earlier = [aCard('#desk', 'New deal', 'Linen', 'spaces/A/threads/1')];
  const note = (thread: string) => aCard('#desk', 'Note', 'by somebody', thread);

  expect(compareCards(expected, [note('spaces/A/threads/1')], { ids: new Set(), earlier })).toEqual([]);
  expect(compareCards(expected, [note('spaces/A/threads/2')], { ids: new Set(), earlier })).toHaveLength(1);
});
