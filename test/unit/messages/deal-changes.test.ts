/** What cards say of the direction of a change: forward, back, skipped; up, down, set, cleared; slipped, pulled in. */

import type { RecordState } from '../../../src/core/record';
import { renderMessage } from '../../../src/messages/render-message';
import type { EventType } from '../../../src/core/transition';
import { NO_NAMES, referenceKey, type Names } from '../../../src/messages/names';
import { aChange, aSubject, someNames } from '../../fixtures/record-changes';
import { visibleText } from './message-checks';

function shown(type: EventType, field: string, from: unknown, to: unknown, names: Names = someNames(), state: RecordState = {}) {
  const change = aChange(type, { state: { [field]: to, ...state }, changes: [{ field, from, to }] });
  return visibleText(renderMessage(aSubject(change), names));
}

/** Stages 31 to 35 of pipeline 1, at these positions. */
function stages(...positions: readonly (number | null)[]): Names {
  const bare = { pipelineId: '1', fieldType: null, options: new Map<string, string>() };
  const entries = positions.map(
    (position, index) => [referenceKey('stage', 31 + index), { ...bare, name: `Stage ${index}`, position }] as const,
  );
  return new Map([...someNames(), ...entries]);
}

test.each<[string, number, number, Names, string, string]>([
  ['goes on by one', 31, 32, stages(1, 2), 'Deal moved forward', ''],
  ['skips one stage', 31, 32, stages(1, 3), 'Deal moved forward', 'skipping one stage'],
  ['skips several', 31, 32, stages(1, 5), 'Deal moved forward', 'skipping 3 stages'],
  ['goes back by several', 31, 32, stages(5, 1), 'Deal moved back', ''],
  ['moves among stages of unknown order', 31, 32, stages(null, 4), 'Deal stage changed', ''],
])('when a deal %s, then the card says so', (_name, from, to, names, headline, note) => {
  const text = shown('deal.stage_changed', 'stage_id', from, to, names);

  expect(text).toContain(headline);
  expect(text).toContain(note);
  if (note === '') expect(text).not.toContain('skipping');
});

test.each<[string | null, string | null, string]>([
  ['2026-12-01', '2026-12-13', 'Expected close date slipped'],
  ['2026-12-13', '2026-12-01', 'Expected close date pulled in'],
  [null, '2026-12-01', 'Expected close date set'],
  ['2026-12-01', null, 'Expected close date cleared'],
])('when the close date goes from %s to %s, then the headline is "%s"', (from, to, headline) => {
  expect(shown('deal.close_date_changed', 'expected_close_date', from, to)).toContain(headline);
});

const euros = (amount: number | null) => (amount === null ? null : { amount, currency: 'EUR' });
test.each<[number | null, number | null, string]>([
  [100, 150, 'Deal value up'],
  [150, 100, 'Deal value down'],
  [null, 100, 'Deal value set'],
  [100, null, 'Deal value cleared'],
])('when the value goes from %s to %s, then the headline is "%s"', (from, to, headline) => {
  const change = aChange('deal.value_changed', {
    state: { value: to, currency: 'EUR' },
    changes: [{ field: 'value', from: euros(from), to: euros(to) }],
  });

  expect(visibleText(renderMessage(aSubject(change), NO_NAMES))).toContain(headline);
});
