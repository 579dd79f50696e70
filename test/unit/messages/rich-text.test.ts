/** The colours of cards can be read by everybody. */

import { bold, htmlOf, type Tone } from '../../../src/messages/rich-text';

const WHITE = 1;

test.each<Tone>(['good', 'bad', 'moved', 'warning', 'quiet'])(
  'when a text is %s, then its colour stands out from a white card',
  (tone) => {
    const colour = /color="#([\dA-F]{6})"/.exec(htmlOf(bold('Demo scheduled', tone), 100))?.[1] ?? 'FFFFFF';

    expect((WHITE + 0.05) / (luminanceOf(colour) + 0.05)).toBeGreaterThanOrEqual(4.5);
  },
);

/** As WCAG 2.2 defines it. */
function luminanceOf(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
