import { TEMPLATE_MODES } from '../../../src/core/rule';
import { EVENT_TYPES } from '../../../src/core/transition';
import { renderMessage, renderPlainMessage } from '../../../src/messages/render-message';
import { aChange, aSubject, someNames } from '../../fixtures/record-changes';
import { faultsOf, visibleText } from './message-checks';

const cases = EVENT_TYPES.flatMap((type) => TEMPLATE_MODES.map((mode) => ({ type, mode })));
const plainSpaces = (text: string) => text.replace(/[\u00A0\u202F]/g, ' ');

function lateChange(type: (typeof EVENT_TYPES)[number], isLate: boolean) {
  const change = aChange(type);
  const cause = { changeSource: null, isBulkEdit: false, ...(isLate ? { isLate } : {}) };
  return { ...change, transition: { ...change.transition, cause } };
}

test.each(cases)(
  'when $type was found late ($mode), then card, notification and plain text say when it happened',
  ({ type, mode }) => {
    const subject = aSubject(lateChange(type, true), {
      mode,
      destination: { locale: 'de_DE', timeZone: 'Europe/Berlin', threads: 'off' },
    });

    const message = renderMessage(subject, someNames());

    const words = 'Late: happened 23.11.2026, 14:05';
    expect(faultsOf(message)).toEqual([]);
    expect(plainSpaces(visibleText(message))).toContain(words);
    expect(plainSpaces(message.fallbackText)).toContain(words);
    expect(plainSpaces(renderPlainMessage(subject, someNames()).text ?? '')).toContain(words);
  },
);

test('when a webhook told it in time, then nothing is said of lateness', () => {
  const message = renderMessage(aSubject(lateChange('deal.won', false)), someNames());

  expect(JSON.stringify(message)).not.toContain('Late:');
});
