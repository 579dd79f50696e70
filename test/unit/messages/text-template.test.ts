import { plainOf } from '../../../src/messages/rich-text';
import { renderMessage } from '../../../src/messages/render-message';
import { renderTemplate, templateProblem, type TemplateVariables } from '../../../src/messages/text-template';
import { aChange, aSubject, someNames } from '../../fixtures/record-changes';
import { faultsOf, stringsIn, visibleText } from './message-checks';

function variables(title: string): TemplateVariables {
  const record = { title, value: '€48,000', url: null, type: 'deal', status: 'won', closeDate: null, lostReason: null };
  const nobody = {
    owner: 'Ana Silva',
    stage: null,
    pipeline: null,
    person: null,
    organization: null,
    actor: null,
    from: null,
    to: null,
  };
  return { event: { type: 'deal.won', name: 'Deal won', time: null }, record, ...nobody };
}

const rendered = (template: string, title = 'Acme') => plainOf(renderTemplate(template, variables(title)) ?? []);

describe("a rule's own text", () => {
  it('when it names variables, they are filled in and unknown ones are empty', () => {
    expect(rendered('{{ owner }} won {{ record.title | upcase }}{{ nobody.knows }} ({{ stage | default: "no stage" }})')).toBe(
      'Ana Silva won ACME (no stage)',
    );
  });

  it('when it has emphasis of its own, only that is markup and the value stays text', () => {
    const rich = renderTemplate('<b>{{ record.title }}</b><script>', variables('<i>x</i>'));

    expect(rich).toEqual([{ text: '<i>x</i>', look: 'b' }, { text: '<script>' }]);
  });

  it('when it is part of a card, header, button, owner and value stay', () => {
    const message = renderMessage(aSubject(aChange('deal.won'), { template: 'Ring the bell for {{ owner }}!' }), someNames());

    expect(faultsOf(message)).toEqual([]);
    expect(visibleText(message)).toContain('Ring the bell for Ana Silva!');
    expect(visibleText(message)).toContain('€48,000');
    expect(stringsIn(message)).toContain('Open deal');
  });

  it.each([
    '{{ record.title | nosuchfilter }}',
    '{% if %}',
    '{{ "x" | slice: "a" | plus',
    '   ',
    '{{ nothing }}',
    'x'.repeat(5_000),
  ])('when %j fails or comes out empty, the standard card is sent', (template) => {
    const message = renderMessage(aSubject(aChange('deal.won'), { template }), someNames());

    expect(message).toEqual(renderMessage(aSubject(aChange('deal.won')), someNames()));
  });

  it('when it doubles a text without end, it is stopped', () => {
    const bomb = '{% assign x = "0123456789" %}' + '{% assign x = x | append: x %}'.repeat(120) + '{{ x }}';
    const startedAt = performance.now();

    expect(renderTemplate(bomb, variables('x'))).toBeNull();

    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it.each([
    '{% include "/etc/passwd" %}',
    '{% render "x" %}',
    '{% layout "x" %}',
    '{% for i in (1..999999999) %}x{% endfor %}',
    '{{ x | where: "a" }}',
    '{% if %}',
    '{{',
  ])('when it says %j, the author is told what is wrong', (template) => {
    expect(templateProblem(template)).toMatch(/^The template cannot be read: .+\.$/);
  });

  it('when nothing is wrong, there is no problem to tell', () => {
    expect(templateProblem('{% if owner %}{{ owner }}{% endif %} {{ record.title | truncate: 20 }}')).toBeNull();
  });

  it('when it is too long, the author is told the limit', () => {
    expect(templateProblem('x'.repeat(4_001))).toContain('4,000');
  });
});
