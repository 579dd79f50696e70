import fc from 'fast-check';
import { chatText, cut, html, oneLine, plain, wordsOfHtml } from '../../../src/messages/escape';

describe('escaping by place', () => {
  it('when a value stands in an HTML field, it is entities', () => {
    expect(html(`<b>"R&D's"</b>`)).toBe('&lt;b&gt;&quot;R&amp;D&#39;s&quot;&lt;/b&gt;');
  });

  it('when a value stands in a plain field, brackets are look-alikes and nothing is an entity', () => {
    expect(plain('<users/all> & co')).toBe('‹users/all› & co');
  });

  it('when a value stands in Chat text, no emphasis is left', () => {
    expect(chatText('*a* _b_ ~c~ `d`')).not.toMatch(/[*_~`]/);
  });

  it('when a line holds control characters, bidi overrides and line breaks, they are gone', () => {
    expect(oneLine(' a\u0000\n\tb\u202Ec\u200B ')).toBe('a bc');
  });

  it.each(['', ' \n ', '\u202E\u200B', '\u0300'])('when nothing visible is left of %j, there is no line', (source) => {
    expect(oneLine(source)).toBeNull();
  });

  it('when a text is cut, it is cut between graphemes and ends in an ellipsis', () => {
    expect(cut('👩‍🚀👩‍🚀👩‍🚀', 3)).toBe('👩‍🚀…');
    expect(cut('naïve café', 6)).toBe('naïve…');
    expect(cut('short', 5)).toBe('short');
  });

  it('when anything is cut, the length bound holds and no surrogate is torn', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 40 }), (text, limit) => {
        const short = cut(text, limit);

        expect(short.length).toBeLessThanOrEqual(2 * limit + 1);
        expect(short).not.toMatch(/\p{Cs}/u);
      }),
    );
  });
});

describe('words of HTML', () => {
  it('when a note has paragraphs, lists and entities, its words stand line by line', () => {
    const source = '<p>Two years &amp; <b>more</b></p><ul><li>one</li><li>two &lt;3</li></ul>';

    expect(wordsOfHtml(source)).toBe('Two years & more\n• one\n• two <3');
  });

  it('when the HTML is broken or huge, it is read in no time', () => {
    const startedAt = performance.now();

    expect(wordsOfHtml('<'.repeat(1_000_000))).not.toBeNull();
    expect(wordsOfHtml('<p class='.repeat(100_000))).not.toBeNull();

    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
