/** The icons that cards name, as the previews draw them. */

import { readdirSync, readFileSync } from 'node:fs';
import { CARD_ICONS } from '../../../views/card-icons';

const MESSAGES = 'src/messages';
const NAMED = /(?:icon: |rowIf\(|row\()'([a-z_0-9]+)'/g;

test('when a card names an icon, then its preview can draw it', () => {
  const sources = readdirSync(MESSAGES).map((file) => readFileSync(`${MESSAGES}/${file}`, 'utf8'));
  const named = [...new Set(sources.flatMap((source) => [...source.matchAll(NAMED)].map(([, name = '']) => name)))];

  expect(named).toContain('schedule');
  expect(named.filter((name) => CARD_ICONS[name] === undefined)).toEqual([]);
});
