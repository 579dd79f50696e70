import { readOptions } from '../../sandbox/read-options';

test('without flags the sandbox is ready to click and begins empty', () => {
  expect(readOptions([])).toEqual({ kind: 'run', options: { isBare: false, isKept: false, settleMs: 1500 } });
});

test('flags are taken as asked', () => {
  const choice = readOptions(['--bare', '--keep', '--settle-ms', '0']);

  expect(choice).toEqual({ kind: 'run', options: { isBare: true, isKept: true, settleMs: 0 } });
});

test.each([
  [['--nonsense'], /'--nonsense'/],
  [['demo'], /'demo'/],
  [['--settle-ms'], /'--settle-ms/],
  [['--settle-ms', 'soon'], /whole number/],
  [['--settle-ms', '120001'], /whole number/],
  [['--keep', '--reset'], /exclude each other/],
  [['--demo', '--keep'], /goes alone, without --keep/],
])('%j is a problem that names what is wrong', (args, words) => {
  const choice = readOptions(args);

  expect(choice).toEqual({ kind: 'problem', reason: expect.stringMatching(words) });
});

test('help wins over everything but a wrong flag', () => {
  expect(readOptions(['--help', '--demo'])).toEqual({ kind: 'help' });
});
