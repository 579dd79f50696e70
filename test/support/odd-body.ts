/** Bodies of requests to the REST API that are near to good ones, for tests of whatever may come. */

import fc from 'fast-check';

const oddValue = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.double(),
  fc.constantFrom(
    '',
    '\0',
    '\ud800',
    0,
    -1,
    1,
    2 ** 31,
    2 ** 53,
    1e300,
    null,
    true,
    [],
    {},
    '__proto__',
    [1, 1],
    'deal.won',
    'Europe/Berlin',
    { from: '20:00', to: '08:00', mode: 'hold' },
  ),
);
const FIELDS = [
  ...['name', 'url', 'timeZone', 'locale', 'threads', 'fold', 'quietHours', 'paused', 'eventType', 'filters', 'targetWebhookIds'],
  ...['targetWebhookId', 'templateMode', 'template', 'settleMs', 'position', 'stopAfter', 'enabled', 'ruleId', 'chatWebhookId'],
  ...['filter', 'settings', 'token', 'apiToken', 'rule', 'days', 'document', 'dryRun', 'mapping'],
];
/** Known fields with odd values, sometimes more, sometimes something else altogether. */
export const oddBody = fc.oneof(
  fc.dictionary(fc.constantFrom(...FIELDS), oddValue),
  fc.dictionary(fc.constantFrom('name', 'filters', 'template', 'conditions', 'enabled', 'position'), oddValue),
  fc.record({ filters: fc.record({ conditions: fc.dictionary(fc.string(), oddValue) }), name: fc.string() }),
  fc.record({
    document: fc.record({ version: fc.constant(1), rules: fc.array(fc.dictionary(fc.constantFrom(...FIELDS), oddValue)) }),
  }),
  fc.record({ rule: fc.dictionary(fc.constantFrom(...FIELDS), oddValue) }),
  fc.record({ filter: fc.dictionary(fc.constantFrom('state', 'ruleId', 'chatWebhookId', 'from', 'to'), oddValue) }),
  oddValue,
);
