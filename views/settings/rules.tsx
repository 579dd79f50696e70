/** The rules of the company in their order: what each listens to, where it posts, and whether it is on. */

import type { VNode } from 'preact';
import { assetUrl } from '../../src/platform/asset-files';
import { PageForm, RefusalBox, type Refusal } from '../form';
import { pageUrl } from '../shell';

export interface RuleRowView {
  readonly id: number;
  readonly name: string;
  /** "Deal won, worth at least 10,000 EUR". */
  readonly sentence: string;
  /** "Sales wins and Board"; "no space". */
  readonly spaces: string;
  readonly lastSent: string;
  /** "Detailed", "stops later rules". */
  readonly settings: readonly string[];
  readonly isOn: boolean;
  /** Why it needs attention; null when it does not. */
  readonly problem: string | null;
}

export interface RulesView {
  readonly rules: readonly RuleRowView[];
  /** "3 of 25 active". */
  readonly usage: string;
  readonly isFull: boolean;
  readonly hasSpace: boolean;
  readonly canChange: boolean;
  readonly refusal: Refusal | null;
}

export function Rules(view: RulesView): VNode {
  const { rules, usage, isFull, hasSpace, canChange, refusal } = view;
  return (
    <>
      <div class="page-head">
        <h1>Rules</h1>
        <p class="quiet">{usage}</p>
        {canChange && rules.length > 0 && <Beginnings />}
      </div>
      <RefusalBox refusal={refusal} />
      {isFull && canChange && (
        <p class="notice-box">
          Your plan has no room for another active rule. <a href={pageUrl('account')}>See your plan</a>, or switch off a rule that
          you no longer need.
        </p>
      )}
      {rules.length === 0 ? (
        <NoRule canChange={canChange} hasSpace={hasSpace} />
      ) : (
        <RuleList rules={rules} canChange={canChange} />
      )}
    </>
  );
}

/** From nothing, or from what others began with. */
function Beginnings(): VNode {
  return (
    <div class="actions beginnings">
      <a id="presets" class="button secondary" href={pageUrl('rules', 'presets')}>
        Presets
      </a>
      <form method="get" action={pageUrl('rules', 'new')} class="inline">
        <button id="new-rule">New rule</button>
      </form>
    </div>
  );
}

function NoRule({ canChange, hasSpace }: { readonly canChange: boolean; readonly hasSpace: boolean }): VNode {
  return (
    <section class="empty">
      <h2>No rules yet, so nothing is posted</h2>
      <p>A rule says what to post, and in which Google Chat space. Start from a preset or from an empty rule.</p>
      {canChange && !hasSpace && (
        <p>
          Rules post to spaces, and none is connected yet: <a href={pageUrl('spaces', 'new')}>connect one first</a>.
        </p>
      )}
      {canChange && <Beginnings />}
    </section>
  );
}

function RuleList({ rules, canChange }: { readonly rules: readonly RuleRowView[]; readonly canChange: boolean }): VNode {
  const canMove = canChange && rules.length > 1;
  return (
    <>
      <section class="card rule-card">
        <ol class="rules" {...(canMove ? { 'data-order': 'order-form', 'data-sortable': assetUrl('sortable.min.js') } : {})}>
          {rules.map((rule, index) => (
            <RuleRow rule={rule} canChange={canChange} place={canMove ? { index, count: rules.length } : null} />
          ))}
        </ol>
      </section>
      {canMove && (
        <PageForm id="order-form" action={pageUrl('rules', 'order')}>
          <input type="hidden" name="order" value="" />
        </PageForm>
      )}
      <p class="quiet">
        Rules run top to bottom. “Stop here” keeps the rules below from posting the same event in the same space.
      </p>
    </>
  );
}

interface Place {
  readonly index: number;
  readonly count: number;
}

function RuleRow({
  rule,
  canChange,
  place,
}: {
  readonly rule: RuleRowView;
  readonly canChange: boolean;
  readonly place: Place | null;
}): VNode {
  const { id, name, sentence, spaces, lastSent, settings, isOn, problem } = rule;
  return (
    <li class={isOn ? 'rule' : 'rule rule-off'} data-id={id}>
      {place !== null && (
        <span class="grip" aria-hidden="true" title="Drag to change the order">
          ⠿
        </span>
      )}
      <Switch {...{ id, name, isOn, canChange }} />
      <div class="rule-words">
        <h2>
          <a id={`rule-${id}`} href={pageUrl('rules', id)}>
            {name}
          </a>
        </h2>
        <p>{sentence}</p>
        <p class="quiet">{[`→ ${spaces}`, lastSent, ...settings].join(' · ')}</p>
        {problem !== null && <p class="problem">Needs attention: {problem}</p>}
      </div>
      {canChange && <RowActions id={id} name={name} place={place} />}
    </li>
  );
}

/** Sends at once where scripts run, else by the button that only shows without them. */
function Switch({
  id,
  name,
  isOn,
  canChange,
}: Pick<RuleRowView, 'id' | 'name' | 'isOn'> & { readonly canChange: boolean }): VNode {
  const url = pageUrl('rules', `${id}/enabled`);
  const look = { type: 'checkbox', role: 'switch', name: 'enabled', checked: isOn, 'aria-label': `Enabled: ${name}` } as const;
  if (!canChange) return <input id={`enabled-${id}`} {...look} disabled />;
  return (
    <PageForm id={`enabled-form-${id}`} action={url} inline>
      <input id={`enabled-${id}`} {...look} hx-post={url} hx-trigger="change" />
      <noscript>
        <button class="secondary">Set</button>
      </noscript>
    </PageForm>
  );
}

function RowActions({ id, name, place }: { readonly id: number; readonly name: string; readonly place: Place | null }): VNode {
  const question = {
    title: `Delete ${name}?`,
    text: 'Messages that still wait because of this rule are dropped. What was sent stays in Google Chat.',
    ok: 'Delete rule',
  };
  return (
    <div class="actions">
      {place !== null && (
        <PageForm id={`move-form-${id}`} action={pageUrl('rules', `${id}/move`)} inline>
          <MoveButton id={id} name={name} way="up" isEnd={place.index === 0} />
          <MoveButton id={id} name={name} way="down" isEnd={place.index === place.count - 1} />
        </PageForm>
      )}
      <a id={`edit-${id}`} class="button secondary" href={pageUrl('rules', id)} aria-label={`Edit ${name}`}>
        Edit
      </a>
      <PageForm id={`delete-form-${id}`} action={pageUrl('rules', `${id}/delete`)} question={question} inline>
        <button id={`delete-${id}`} class="danger" aria-label={`Delete ${name}`}>
          Delete
        </button>
      </PageForm>
    </div>
  );
}

/** At an end it stays where it is and says so, so that it keeps the focus. */
function MoveButton({
  id,
  name,
  way,
  isEnd,
}: {
  readonly id: number;
  readonly name: string;
  readonly way: 'up' | 'down';
  readonly isEnd: boolean;
}): VNode {
  return (
    <button
      id={`${way}-${id}`}
      class="secondary move"
      data-steps="yes"
      name="way"
      value={way}
      aria-label={`Move ${name} ${way}`}
      aria-disabled={isEnd ? 'true' : undefined}
    >
      {way === 'up' ? '↑' : '↓'}
    </button>
  );
}
