import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { isObject, RECORD_ENTITIES, type RecordState } from '../../../src/core/record';
import { TEMPLATE_MODES } from '../../../src/core/rule';
import { EVENT_TYPES, type EventType } from '../../../src/core/transition';
import { namedFrom, NO_NAMES } from '../../../src/messages/names';
import { renderMessage, renderPlainMessage } from '../../../src/messages/render-message';
import { sampleNames, sampleSubject } from '../../../src/messages/sample-subject';
import { aChange, aSubject, aTenant, PRIORITY_KEY, someNames } from '../../fixtures/record-changes';
import { sharedDataPath } from '../../support/shared-data';
import { faultsOf, stringsIn, visibleText } from './message-checks';

const compact = (type: EventType, given: Parameters<typeof aChange>[1] = {}) =>
  renderMessage(aSubject(aChange(type, given)), someNames());
const detailed = (type: EventType, given: Parameters<typeof aChange>[1] = {}) =>
  renderMessage(aSubject(aChange(type, given), { mode: 'detailed' }), someNames());

describe('every event type in both layouts', () => {
  const cases = EVENT_TYPES.flatMap((type) => TEMPLATE_MODES.map((mode) => ({ type, mode })));

  it.each(cases)('$type, $mode: the card is valid and names the record with a link', ({ type, mode }) => {
    const change = aChange(type);

    const message = renderMessage(aSubject(change, { mode }), someNames());

    expect(faultsOf(message)).toEqual([]);
    const title = type.startsWith('note.')
      ? 'Acme licence'
      : (change.state['title'] ?? change.state['name'] ?? change.state['subject']);
    expect(message.cardsV2?.[0]?.card.header.subtitle).toBe(title);
    expect(message.fallbackText).toContain(title);
    expect(stringsIn(message).some((text) => text.startsWith('https://acme.pipedrive.com/'))).toBe(true);
  });

  it.each(cases)('$type, $mode: without any name nothing is shown as a number in its place', ({ type, mode }) => {
    const change = aChange(type, { state: { owner_id: 987_601, pipeline_id: 987_602, person_id: 987_604, org_id: 987_605 } });

    const message = renderMessage(aSubject({ ...change, actorUserId: 987_606 }, { mode }), NO_NAMES);

    expect(faultsOf(message)).toEqual([]);
    const shown = visibleText(message).replace(/https:\S+/g, '');
    expect(shown).not.toMatch(/98760\d|[\da-f]{40}/);
  });

  it.each(
    EVENT_TYPES.filter((type) => type.startsWith('deal.')).flatMap((type) => TEMPLATE_MODES.map((mode) => ({ type, mode }))),
  )('$type, $mode: the deal message names owner and value', ({ type, mode }) => {
    const message = renderMessage(aSubject(aChange(type), { mode }), someNames());

    expect(visibleText(message)).toContain('€48,000');
    expect(visibleText({ ...message, fallbackText: '' })).toContain('Ana Silva');
  });

  it.each(EVENT_TYPES)('%s: the sample for a test message is valid, says that it is a test and links to no record', (type) => {
    for (const mode of TEMPLATE_MODES) {
      const message = renderMessage(sampleSubject(aTenant(), type, mode, null, new Date('2026-11-23T13:00:00Z')), sampleNames());

      expect(faultsOf(message)).toEqual([]);
      expect(message.cardsV2?.[0]?.card.header.title).toContain('Test: ');
      expect(stringsIn(message).join(' ')).not.toMatch(/pipedrive\.com\/\S*\d/);
    }
  });

  it.each(EVENT_TYPES)('%s: the plain text message is valid and says the same line', (type) => {
    const message = renderPlainMessage(aSubject(aChange(type)), someNames());

    expect(faultsOf(message)).toEqual([]);
    expect(message.cardsV2).toBeUndefined();
    expect(message.text).toContain('https://acme.pipedrive.com/');
  });
});

describe('what a deal message says', () => {
  it('when a deal is won, the notification line is headline, title, value and owner', () => {
    expect(compact('deal.won').fallbackText).toBe('Deal won: Acme licence · €48,000 · Ana Silva');
  });

  it('when a deal is won again, the header says so', () => {
    expect(compact('deal.won', { again: true }).cardsV2?.[0]?.card.header.title).toBe('🏆 Deal won again');
  });

  it('when a deal moves to a later stage, both stages and the pipeline are named and the move is forward', () => {
    const text = visibleText(compact('deal.stage_changed'));

    expect(text).toContain('Negotiation → Contract sent');
    expect(text).toContain('Enterprise');
    expect(text).toContain('Deal moved forward');
  });

  it('when a deal moves to an earlier stage, the move is back', () => {
    const message = compact('deal.stage_changed', {
      state: { stage_id: 11 },
      changes: [{ field: 'stage_id', from: 12, to: 11 }],
    });

    expect(visibleText(message)).toContain('Deal moved back');
  });

  it('when the value rises, difference and percentage are told', () => {
    const text = visibleText(compact('deal.value_changed'));

    expect(text).toContain('€36,000 → €48,000');
    expect(text).toContain('+€12,000 (+33%)');
  });

  it('when the currency changes, no difference is made up', () => {
    const message = compact('deal.value_changed', {
      changes: [
        { field: 'value', from: 36_000, to: 48_000 },
        { field: 'currency', from: 'USD', to: 'EUR' },
      ],
    });

    expect(visibleText(message)).toContain('$36,000 → €48,000');
    expect(visibleText(message)).not.toContain('%');
  });

  it('when the close date moves, the days between are told', () => {
    expect(visibleText(compact('deal.close_date_changed'))).toContain('12 days later');
  });

  it('when a label is added, only the new one is news', () => {
    const message = compact('deal.label_added');

    expect(visibleText(message)).toContain('Key account');
    expect(visibleText(message)).not.toContain('Hot');
  });

  it('when a custom field changes and its options are known, field and values are named', () => {
    const text = visibleText(compact('deal.field_changed'));

    expect(text).toContain('Priority');
    expect(text).toContain('Low → High');
  });

  it.each(['compact', 'detailed'] as const)('when a watched deal is won and moves, a %s card tells both', (mode) => {
    const changes = [
      { field: 'status', from: 'open', to: 'won' },
      { field: 'stage_id', from: 11, to: 12 },
      { field: 'owner_id', from: 2, to: 1 },
    ];

    const text = visibleText(mode === 'compact' ? compact('deal.won', { changes }) : detailed('deal.won', { changes }));

    expect(text).toContain('Deal won');
    expect(text).toMatch(/Stage: .+ → Contract sent/);
    expect(text).toMatch(/Owner: Ben Ito → .+/);
    expect(text).not.toMatch(/Status: /);
  });

  it('when a watched deal is merged and then given away, the card tells both', () => {
    const text = visibleText(compact('deal.merged', { changes: [{ field: 'owner_id', from: 2, to: 1 }] }));

    expect(text).toContain('Deals merged');
    expect(text).toMatch(/Owner: Ben Ito → .+/);
  });

  it('when a custom field cannot be named, generic words stand for it', () => {
    const message = renderMessage(aSubject(aChange('deal.field_changed')), NO_NAMES);

    expect(visibleText(message)).toContain('A field');
    expect(visibleText(message)).not.toContain(PRIORITY_KEY);
  });

  it.each([
    [{ type: 'monetary', value: 13, currency: 'EUR' }, '€13'],
    [{ type: 'varchar', value: 'Blue' }, 'Blue'],
    [{ type: 'date', value: '2026-12-01' }, 'Dec 1, 2026'],
    [{ type: 'user', id: 2 }, 'Ben Ito'],
    [{ type: 'timerange', from: '09:00:00', until: '10:30:00' }, '09:00 – 10:30'],
    [{ type: 'address', value: 'Tallinn', formatted_address: 'Tallinn, Estonia' }, 'Tallinn, Estonia'],
    [null, 'empty'],
  ])('when a custom field becomes %j, it reads %s', (to, written) => {
    const message = compact('deal.field_changed', {
      changes: [{ field: 'a'.repeat(40), from: { type: 'varchar', value: 'before' }, to }],
    });

    expect(visibleText(message)).toContain(`before → ${written}`);
  });

  it('when a deal has no value and no title, words stand for both', () => {
    const text = visibleText(compact('deal.created', { state: { title: '\u202E \u0000', value: null } }));

    expect(text).toContain('No value');
    expect(text).toContain('Untitled deal');
  });

  it('when it is detailed, pipeline, stage, person, organization and dates are there', () => {
    const text = visibleText(detailed('deal.won'));

    for (const fact of ['Enterprise', 'Contract sent', 'Lena Brandt', 'Acme Corp', 'Dec 18, 2026', 'Oct 5, 2026', 'Ben Ito'])
      expect(text).toContain(fact);
  });

  it('when the destination has its own locale and zone, amounts and times follow it', () => {
    const change = aChange('deal.won', { state: { value: 48_000.5, won_time: '2026-11-23 23:30:00' } });

    const message = renderMessage(
      aSubject(change, { destination: { locale: 'de_DE', timeZone: 'Asia/Tokyo', threads: 'off' } }),
      someNames(),
    );

    expect(visibleText(message)).toContain('48.000,50 €');
    expect(visibleText(message)).toContain('24.11.2026, 08:30');
  });
});

describe('threads', () => {
  const perRecord = { locale: null, timeZone: null, threads: 'perRecord' } as const;

  it.each([
    ['deal.won', 'pd-12345-deal-8'],
    ['lead.converted', 'pd-12345-deal-8'],
    ['note.created', 'pd-12345-deal-8'],
    ['activity.completed', 'pd-12345-deal-8'],
    ['person.created', 'pd-12345-person-8'],
    ['lead.created', 'pd-12345-lead-b1810230-6c0d-41ed-9826-a53d0eb706a5'],
  ] as const)('when threads are per record, %s goes to %s', (type, threadKey) => {
    const message = renderMessage(aSubject(aChange(type), { destination: perRecord }), someNames());

    expect(message.thread).toEqual({ threadKey });
  });

  it('when threads are off, there is no thread', () => {
    expect(compact('deal.won').thread).toBeUndefined();
  });
});

describe('hostile records', () => {
  const HOSTILE = '<users/all> <https://evil.example|Invoice> <a href="https://evil.example">x</a> & "quoted" \u202Etxt';

  it.each(TEMPLATE_MODES)('when every text is markup (%s), none of it is live', (mode) => {
    for (const type of EVENT_TYPES) {
      const texts = {
        title: HOSTILE,
        name: HOSTILE,
        subject: HOSTILE,
        content: HOSTILE,
        lost_reason: HOSTILE,
        currency: HOSTILE,
        address: HOSTILE,
        type: HOSTILE,
      };
      const hostile = namedFrom({ name: HOSTILE, options: [{ id: 25, label: HOSTILE }] });
      const names = new Map([...someNames().keys()].flatMap((key) => (hostile === null ? [] : [[key, hostile] as const])));

      const message = renderMessage(
        aSubject(aChange(type, { state: texts }), { mode, template: 'Own text: {{ record.title }} {{ owner }}' }),
        names,
      );

      expect(faultsOf(message)).toEqual([]);
      expect(visibleText(message)).toContain('Own text: <users/all>');
      expect(stringsIn(message).join(' ')).not.toMatch(/<a href="(?!https:\/\/acme\.pipedrive\.com\/)|\u202E/);
      expect(faultsOf(renderPlainMessage(aSubject(aChange(type, { state: texts })), names))).toEqual([]);
    }
  });

  it('when a title is a megabyte, the message still fits and takes no time', () => {
    for (const filler of ['x', '&', '<', '👩‍👩‍👧‍👦', 'e\u0301', '\u0300']) {
      const title = filler.repeat(Math.ceil(1_000_000 / filler.length));
      const change = aChange('deal.lost', { state: { title, lost_reason: title } });
      const startedAt = performance.now();

      const message = renderMessage(aSubject(change, { mode: 'detailed', template: '{{ record.title }}' }), someNames());

      expect(faultsOf(message)).toEqual([]);
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    }
  });

  it('when the company domain is no domain, it reaches no address', () => {
    const subject = aSubject(aChange('deal.won'), { tenant: aTenant({ companyDomain: 'evil.example/#' }) });

    const message = renderMessage(subject, someNames());

    expect(stringsIn(message)).toContain('https://app.pipedrive.com/deal/8');
  });

  it('when a record is any JSON at all, the message is valid', () => {
    const field = fc.constantFrom(
      ...[
        'title',
        'name',
        'subject',
        'value',
        'currency',
        'owner_id',
        'stage_id',
        'status',
        'expected_close_date',
        'label_ids',
        'content',
        'type',
      ],
      ...[
        'due_date',
        'due_time',
        'emails',
        'address',
        'deal_id',
        'lead_id',
        'won_time',
        'add_time',
        'location',
        'note',
        'lost_reason',
        'probability',
      ],
    );
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('<users/all>', '<https://evil|x>', '2026-13-45', -0, 1e308, '\uD800'),
      fc.string({ unit: 'binary' }),
    );
    const state = fc.dictionary(field, odd);
    const changes = fc.array(fc.record({ field: fc.oneof(field, fc.string()), from: odd, to: odd }), { maxLength: 8 });

    fc.assert(
      fc.property(
        ...([
          fc.constantFrom(...EVENT_TYPES),
          fc.constantFrom(...TEMPLATE_MODES),
          fc.constantFrom(...RECORD_ENTITIES),
          state,
          changes,
          fc.string(),
        ] as const),
        (type, mode, entity, record: RecordState, changed, id) => {
          const transition = { type, changes: changed, relatedId: id };
          const change = { entity, entityId: id, transition, state: record, actorUserId: 1, occurredAt: new Date(NaN) };
          const subject = aSubject(change, { mode, destination: { locale: id, timeZone: id, threads: 'perRecord' } });

          expect(faultsOf(renderMessage(subject, someNames()))).toEqual([]);
          expect(faultsOf(renderPlainMessage(subject, NO_NAMES))).toEqual([]);
        },
      ),
      { numRuns: 400 },
    );
  });
});

test.each(['valueOf', 'constructor', '__proto__'])(
  'when a type, status or field is called %s, as what every object has, the message is valid',
  (word) => {
    const activity = aChange('activity.created', { entity: 'activity', state: { type: word } });
    const changes = [
      { field: word, from: 1, to: { type: word, id: 2 } },
      { field: 'status', from: 'open', to: word },
    ];
    const messages = [activity, aChange('deal.field_changed', { changes })].map((change) =>
      renderMessage(aSubject(change), NO_NAMES),
    );

    for (const message of messages) {
      expect(faultsOf(message)).toEqual([]);
      expect(visibleText(message)).not.toContain('native code');
    }
  },
);

describe('the webhook samples', () => {
  const folder = sharedDataPath('pipedrive/webhooks');
  const samples =
    folder === null ? [] : readdirSync(folder).filter((name) => /-(deal|lead|person|organization|activity|note)-/.test(name));

  (samples.length === 0 ? it.skip : it)('when a sample is told as any event of its object, the message is valid', () => {
    for (const name of samples) {
      const body: unknown = JSON.parse(readFileSync(join(folder ?? '', name), 'utf8'));
      const entity = RECORD_ENTITIES.find((candidate) => name.includes(`-${candidate}-`)) ?? 'deal';
      const state = isObject(body) ? (isObject(body['data']) ? body['data'] : body['previous']) : null;
      const types = EVENT_TYPES.filter((type) => type.startsWith(entity));
      for (const type of types) {
        for (const mode of TEMPLATE_MODES) {
          const change = aChange(type, { entity, state: isObject(state) ? state : {} });

          expect({ name, faults: faultsOf(renderMessage(aSubject(change, { mode }), someNames())) }).toEqual({
            name,
            faults: [],
          });
        }
      }
    }
  });
});
