/** The rules as rows of a list. Pure. */

import type { RuleRowView } from '../../views/settings/rules';
import type { TenantProfile } from '../core/tenant';
import { recordEntityOf } from '../core/transition';
import type { Destination } from '../delivery/read-destination';
import { makeNameOf } from '../rules/decision-names';
import type { KnownReferences } from '../rules/references';
import type { StoredRule } from '../rules/rule.store';
import { ruleWords } from './rule-words';
import { momentWords, sentence } from './words';

export interface RowFacts {
  readonly tenant: TenantProfile;
  readonly destinations: readonly Destination[];
  readonly known: KnownReferences;
  readonly lastSent: ReadonlyMap<number, Date>;
  readonly problemOf: (rule: StoredRule) => string | undefined;
}

export function ruleRow(rule: StoredRule, { tenant, destinations, known, lastSent, problemOf }: RowFacts): RuleRowView {
  const spaces = destinations.filter(({ id }) => rule.targetWebhookIds.includes(id)).map(({ name }) => name);
  const sent = lastSent.get(rule.id);
  const problem = problemOf(rule) ?? (rule.enabled && spaces.length === 0 ? 'It has no space to post to.' : undefined);
  return {
    ...{ id: rule.id, name: rule.name, isOn: rule.enabled },
    sentence: ruleWords(rule, makeNameOf(known, recordEntityOf(rule.eventType)), tenant.baseCurrency),
    spaces: spaces.length === 0 ? 'no space' : new Intl.ListFormat('en').format(spaces),
    lastSent: sent === undefined ? 'nothing sent recently' : `last sent ${momentWords(sent, tenant)}`,
    settings: [
      ...(rule.templateMode === 'detailed' ? ['detailed'] : []),
      ...(rule.stopAfter ? ['stops later rules'] : []),
      ...(rule.urgent ? ['urgent'] : []),
      ...(rule.digest === null ? [] : [rule.digest.every === 'day' ? 'daily digest' : 'weekly digest']),
    ],
    problem: problem === undefined ? null : sentence(problem),
  };
}
