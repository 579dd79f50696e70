/** Rules as a JSON document that travels: each with what it names, by id and by name. Schemas of what comes in, and what goes out. */

import { z } from 'zod';
import type { RuleFilters } from '../core/rule';
import { keyOfReference, placedReferences, REFERENCE_KINDS, type PlacedReference } from '../rules/placed-references';
import type { Directory, NamedThing } from '../rules/resolve-references';
import type { StoredRule } from '../rules/rule.store';
import { idField } from './fields';
import { createRuleBody, type GivenRule, type RuleDraft } from './rule-draft';

const MAX_RULES = 1000;
const MAX_REFERENCES = 2000;
const text = z.string().max(500).nullable();
const anyId = z.union([z.int().nonnegative().transform(String), z.string().min(1).max(100)]);

const referenceSchema = z.strictObject({
  kind: z.enum(REFERENCE_KINDS),
  id: anyId,
  name: text.default(null),
  pipelineName: text.optional(),
  email: text.optional(),
  field: z.string().max(100).optional(),
  fieldName: text.optional(),
  fieldType: text.optional(),
  spaceId: text.optional(),
});

const { targetWebhookId: _one, ...ruleFields } = createRuleBody.shape;
const documentRuleSchema = z.strictObject({
  ...ruleFields,
  targetWebhookIds: z.array(idField).max(200).default([]),
  references: z.array(referenceSchema).max(MAX_REFERENCES).default([]),
});

export const ruleDocumentSchema = z.strictObject({
  version: z.literal(1, 'must be 1, the only version there is'),
  exportedAt: z.iso.datetime({ offset: true }).optional(),
  /** Where it comes from: in the same company ids mean what they meant. */
  source: z.strictObject({ companyId: z.int().positive(), companyName: z.string().max(500).optional() }).optional(),
  rules: z.array(documentRuleSchema).max(MAX_RULES),
});
export type RuleDocument = z.infer<typeof ruleDocumentSchema>;
export type DocumentRule = RuleDocument['rules'][number];

const idMap = z.record(z.string().max(100), anyId).optional();

/** Ids of the document to ids of this company; options by the key of their field. */
export const mappingSchema = z.strictObject({
  pipeline: idMap,
  stage: idMap,
  user: idMap,
  person: idMap,
  organization: idMap,
  leadLabel: idMap,
  activityType: idMap,
  field: idMap,
  option: z.record(z.string().max(100), z.record(z.string().max(100), anyId)).optional(),
  destination: idMap,
});
export type GivenMapping = z.infer<typeof mappingSchema>;

/** What a rule names, each once, as the directory knows it; what is not known has its id alone. */
export function referencesOfRule(
  rule: Pick<RuleDraft, 'eventType' | 'filters' | 'targetWebhookIds'>,
  directory: Directory,
): readonly NamedThing[] {
  const known = new Map(directory.map((thing) => [keyOfReference(thing), thing]));
  const typeOf = (key: string) => known.get(keyOfReference({ kind: 'field', id: key }))?.fieldType ?? null;
  const placed = placedReferences(rule, typeOf);
  return [...new Map(placed.map((reference) => [keyOfReference(reference), described(reference, known)])).values()];
}

function described({ path: _path, ...reference }: PlacedReference, known: ReadonlyMap<string, NamedThing>): NamedThing {
  const thing = known.get(keyOfReference(reference));
  if (thing !== undefined) return thing;
  const field = reference.field === undefined ? undefined : known.get(keyOfReference({ kind: 'field', id: reference.field }));
  return { ...reference, name: null, ...(field === undefined ? {} : { fieldName: field.name }) };
}

/** A rule as it travels: all that a person set, and what it names. */
export function exportedRule(rule: StoredRule, directory: Directory): object {
  const { name, eventType, filters, targetWebhookIds, templateMode, template, settleMs, position, stopAfter, enabled } = rule;
  const { urgent, digest } = rule;
  return {
    ...{ name, eventType, filters, targetWebhookIds, templateMode, template, settleMs, position, stopAfter, enabled },
    ...{ urgent, digest },
    references: referencesOfRule(rule, directory),
  };
}

/** What POST /rules would have been given for it. */
export function givenOf({ references: _references, ...rule }: DocumentRule, filters: RuleFilters): GivenRule {
  return { ...rule, filters };
}
