/** Plans an import of rules: what each reference stands for here, and what becomes of each rule. Pure; nothing is written. */

import type { FieldError } from '../core/errors';
import { isObject, type RecordEntity } from '../core/record';
import { ruleFiltersSchema, type Rule } from '../core/rule';
import { recordEntityOf } from '../core/transition';
import type { KnownFields } from '../rules/field-catalogue';
import {
  keyOfReference,
  placedReferences,
  withReplaced,
  type ReferenceKey,
  type ReferringRule,
} from '../rules/placed-references';
import {
  resolveReference,
  type Directory,
  type Mapping,
  type NamedThing,
  type Resolution,
  type ResolveContext,
} from '../rules/resolve-references';
import { resolveNames, type ResolvedFilters } from '../rules/resolve-names';
import { fieldProblems, MAX_POSITION, newDraft, type RuleDraft } from './rule-draft';
import { givenOf, type DocumentRule, type GivenMapping, type RuleDocument } from './rule-document';

/** What became of one reference of the document. */
export interface ResolvedReference {
  readonly wanted: NamedThing;
  readonly resolution: Resolution;
}

export type PlannedRule =
  | { readonly status: 'created'; readonly draft: RuleDraft; readonly reason: string | null }
  | { readonly status: 'skipped'; readonly name: string; readonly reason: string }
  | { readonly status: 'rejected'; readonly name: string; readonly reason: string; readonly isOverLimit: boolean };

export interface ImportPlan {
  readonly references: readonly ResolvedReference[];
  /** In the order of the document. */
  readonly rules: readonly PlannedRule[];
}

export interface ImportSurroundings {
  readonly directory: Directory;
  readonly mapping: Mapping;
  readonly companyId: number;
  /** What rules about this kind of record can name here. */
  readonly known: (entity: RecordEntity) => KnownFields;
  readonly existing: readonly Rule[];
  readonly lastPosition: number;
  /** How many more active rules the plan allows. */
  readonly freeActiveRules: number;
}

/** Plans the whole document. Rules keep their order, behind those that are there. */
export function planImport(document: RuleDocument, surroundings: ImportSurroundings): ImportPlan {
  const isSameCompany = document.source?.companyId === surroundings.companyId;
  const context: ResolveContext = { ...surroundings, isSameCompany };
  const references = new Map<string, ResolvedReference>();
  const present = new Set(surroundings.existing.map(contentOf));
  let free = surroundings.freeActiveRules;

  const rules = document.rules.map((rule, at): PlannedRule => {
    const named = namedFilters(rule, surroundings);
    const resolved = resolveRule({ ...rule, filters: named.filters }, context, references);
    const position = Math.min(surroundings.lastPosition + 1 + at, MAX_POSITION);
    const draft = {
      ...newDraft({ ...givenOf(rule, resolved.parts.filters), targetWebhookIds: [...resolved.parts.targetWebhookIds] }, position),
      position,
    };
    const planned = judged(
      rule,
      { ...draft, enabled: draft.enabled && resolved.reason === null },
      resolved.reason,
      present,
      free,
      named.problems[0] ?? misfit(draft, surroundings),
    );
    if (planned.status === 'created') present.add(contentOf(planned.draft));
    if (planned.status === 'created' && planned.draft.enabled) free -= 1;
    return planned;
  });
  return { references: [...references.values()], rules };
}

function judged(
  { name }: DocumentRule,
  draft: RuleDraft,
  reason: string | null,
  present: ReadonlySet<string>,
  free: number,
  unnameable: FieldError | null,
): PlannedRule {
  if (unnameable !== null)
    return { status: 'rejected', name, reason: `${unnameable.path}: ${unnameable.message}`, isOverLimit: false };
  if (present.has(contentOf(draft)))
    return { status: 'skipped', name, reason: 'A rule of this name and content is there already.' };
  const problem = fieldProblems(draft).next();
  if (problem.done !== true)
    return { status: 'rejected', name, reason: `${problem.value.path}: ${problem.value.message}`, isOverLimit: false };
  if (draft.enabled && free <= 0)
    return { status: 'rejected', name, reason: 'Your plan allows no more active rules.', isOverLimit: true };
  return { status: 'created', draft, reason };
}

/** Names that a person wrote into the document in the place of ids and keys; what the document describes is no such name. */
function namedFilters(rule: DocumentRule, { known }: ImportSurroundings): ResolvedFilters {
  const described = new Set(rule.references.map(({ id }) => id));
  return resolveNames(rule.filters ?? {}, known(recordEntityOf(rule.eventType)), { isSettled: (text) => described.has(text) });
}

/** A field of the same name may be of another type here. */
function misfit({ eventType, filters }: RuleDraft, { known }: ImportSurroundings): FieldError | null {
  return resolveNames(filters, known(recordEntityOf(eventType)), { isSettled: () => true }).problems[0] ?? null;
}

interface ResolvedRule {
  readonly parts: Pick<RuleDraft, 'filters' | 'targetWebhookIds'>;
  /** Why the rule has to stay off; null when it need not. */
  readonly reason: string | null;
}

function resolveRule(
  rule: DocumentRule & ReferringRule,
  context: ResolveContext,
  seen: Map<string, ResolvedReference>,
): ResolvedRule {
  const described = new Map(rule.references.map((reference) => [keyOfReference(reference), reference]));
  const typeOf = (key: string) =>
    described.get(keyOfReference({ kind: 'field', id: key }))?.fieldType ?? fieldTypeHere(key, context);
  const reasons: string[] = [];
  const lost = new Set<string>();
  let whole: unknown = { filters: rule.filters, targetWebhookIds: rule.targetWebhookIds };
  for (const { path, ...key } of placedReferences(rule, typeOf)) {
    const { resolution } = resolved(described.get(keyOfReference(key)) ?? { ...key, name: null }, context, seen);
    if (resolution.how !== 'missing') whole = withReplaced(whole, path.split('.'), resolution.thing);
    else reasons.push(resolution.reason);
    if (resolution.how === 'missing' && key.kind === 'destination') lost.add(path);
  }
  const parts = partsOf(whole, lost);
  if (parts.targetWebhookIds.length === 0 && lost.size === 0) reasons.push('The rule has no destination.');
  return { parts, reason: reasons.length === 0 ? null : `Switched off. ${[...new Set(reasons)].join(' ')}` };
}

function fieldTypeHere(key: string, { directory }: ResolveContext): string | null {
  return directory.find((thing) => thing.kind === 'field' && thing.id === key)?.fieldType ?? null;
}

function resolved(wanted: NamedThing, context: ResolveContext, seen: Map<string, ResolvedReference>): ResolvedReference {
  const key = keyOfReference(wanted);
  const found = seen.get(key) ?? { wanted, resolution: resolveReference(wanted, context) };
  seen.set(key, found);
  return found;
}

/** A destination that is missing cannot be named; other missing ids stay, for whoever mends the rule. */
function partsOf(whole: unknown, lost: ReadonlySet<string>): ResolvedRule['parts'] {
  const parts = isObject(whole) ? whole : {};
  const targets: readonly unknown[] = Array.isArray(parts['targetWebhookIds']) ? parts['targetWebhookIds'] : [];
  const kept = targets.filter((_target, at) => !lost.has(`targetWebhookIds.${at}`)).map(Number);
  return { filters: ruleFiltersSchema.parse(parts['filters']), targetWebhookIds: [...new Set(kept)].sort((a, b) => a - b) };
}

/** What makes two rules the same: everything but their place and whether they are on. */
function contentOf(rule: RuleDraft | Rule): string {
  const { name, eventType, filters, templateMode, template, settleMs, stopAfter, urgent, digest, targetWebhookIds } = rule;
  const plain = [name, eventType, templateMode, template, settleMs, stopAfter, urgent, targetWebhookIds];
  return JSON.stringify([...plain, sorted(filters), sorted(digest)]);
}

/** PostgreSQL gives JSON back with its keys in another order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** The given mapping with what it points to; every target that is not there comes back as a problem. */
export function readMapping(
  given: GivenMapping,
  directory: Directory,
): { readonly mapping: Mapping; readonly problems: readonly { readonly path: string; readonly message: string }[] } {
  const known = new Map(directory.map((thing) => [keyOfReference(thing), thing]));
  const mapping = new Map<string, NamedThing>();
  const problems: { path: string; message: string }[] = [];
  for (const { path, from, to } of mappedPairs(given)) {
    const thing = known.get(keyOfReference(to));
    if (thing === undefined) problems.push({ path, message: `There is no ${to.kind} ${to.id} here` });
    else mapping.set(keyOfReference(from), thing);
  }
  return { mapping, problems };
}

interface MappedPair {
  readonly path: string;
  readonly from: ReferenceKey;
  readonly to: ReferenceKey;
}

const PLAIN_KINDS = [
  ...(['pipeline', 'stage', 'user', 'person', 'organization', 'leadLabel', 'activityType', 'field', 'destination'] as const),
];

function mappedPairs({ option = {}, ...kinds }: GivenMapping): readonly MappedPair[] {
  const plain = PLAIN_KINDS.flatMap((kind) =>
    Object.entries(kinds[kind] ?? {}).map(([id, to]) => ({
      path: `mapping.${kind}.${id}`,
      from: { kind, id },
      to: { kind, id: to },
    })),
  );
  const options = Object.entries(option).flatMap(([field, ids]) =>
    Object.entries(ids).map(([id, to]) => ({
      path: `mapping.option.${field}.${id}`,
      from: { kind: 'option' as const, id, field },
      to: { kind: 'option' as const, id: to, field: kinds.field?.[field] ?? field },
    })),
  );
  return [...plain, ...options];
}
