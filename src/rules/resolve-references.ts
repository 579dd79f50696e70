/** Finds in this company what a rule from elsewhere names: by id and name together, else by name alone, never by a mere id of another company. Pure. */

import { nearest } from './nearest-names';
import { keyOfReference, type ReferenceKey, type ReferenceKind } from './placed-references';

/** Something that rules can name, in this company or as a document describes it. */
export interface NamedThing extends ReferenceKey {
  readonly name: string | null;
  /** Of a stage. */
  readonly pipelineName?: string | null | undefined;
  /** Of a user. */
  readonly email?: string | null | undefined;
  /** Of an option: its field's name. */
  readonly fieldName?: string | null | undefined;
  /** Of a destination: its Google space. */
  readonly spaceId?: string | null | undefined;
  /** Of a field: `enum`, `user`, ... */
  readonly fieldType?: string | null | undefined;
}

export type Resolution =
  | { readonly how: 'sameId' | 'byName' | 'bySpace' | 'mapped'; readonly thing: NamedThing }
  | { readonly how: 'missing'; readonly reason: string };

/** Everything of this company that can be named, by kind. */
export type Directory = readonly NamedThing[];

/** What a person said stands for what, by `keyOfReference` of the document's reference. */
export type Mapping = ReadonlyMap<string, NamedThing>;

export interface ResolveContext {
  readonly directory: Directory;
  readonly mapping: Mapping;
  /** The document comes from this very company: ids mean what they meant. */
  readonly isSameCompany: boolean;
}

/** Resolves one reference. Options are looked for in the field that theirs resolves to. */
export function resolveReference(wanted: NamedThing, context: ResolveContext): Resolution {
  const mapped = context.mapping.get(keyOfReference(wanted));
  if (mapped !== undefined) return { how: 'mapped', thing: mapped };
  const candidates = candidatesFor(wanted, context);
  const sameId = candidates.find((thing) => thing.id === wanted.id);
  if (sameId !== undefined && isSame(wanted, sameId, context)) return { how: 'sameId', thing: sameId };
  const [found, another] = byName(wanted, candidates);
  if (found !== undefined && another === undefined) return { how: 'byName', thing: found };
  if (another !== undefined)
    return { how: 'missing', reason: `There are several: ${wordsOf(wanted)}. Say in the mapping which is meant.` };
  const [inSpace, another2] = bySpace(wanted, candidates);
  if (inSpace !== undefined && another2 === undefined) return { how: 'bySpace', thing: inSpace };
  const near =
    wanted.name === null
      ? ''
      : nearest(
          wanted.name,
          candidates.flatMap(({ name }) => name ?? []),
        );
  return { how: 'missing', reason: `There is no ${wordsOf(wanted)} here.${near}` };
}

function candidatesFor(wanted: NamedThing, context: ResolveContext): readonly NamedThing[] {
  const ofKind = context.directory.filter((thing) => thing.kind === wanted.kind);
  if (wanted.kind !== 'option' || wanted.field === undefined) return ofKind;
  const field = resolveReference({ kind: 'field', id: wanted.field, name: wanted.fieldName ?? null }, context);
  return field.how === 'missing' ? [] : ofKind.filter((option) => option.field === field.thing.id);
}

/** Ids count alone within one company, or where nothing else is known; field keys are unique in the world. */
function isSame(wanted: NamedThing, thing: NamedThing, { isSameCompany }: ResolveContext): boolean {
  if (wanted.kind === 'destination') return wanted.spaceId == null || wanted.spaceId === thing.spaceId;
  return isSameCompany || wanted.kind === 'field' || wanted.name === null || isSameText(wanted.name, thing.name);
}

/** At most two, to tell one from several. The e-mail address says more than a name, a stage belongs to its pipeline. */
function byName(wanted: NamedThing, candidates: readonly NamedThing[]): readonly NamedThing[] {
  const byEmail = candidates.filter((thing) => isSameText(wanted.email, thing.email));
  if (byEmail.length > 0) return byEmail.slice(0, 2);
  const named = candidates.filter((thing) => isSameText(wanted.name, thing.name));
  const inPipeline = named.filter((thing) => isSameText(wanted.pipelineName, thing.pipelineName));
  return (inPipeline.length > 0 ? inPipeline : named).slice(0, 2);
}

function bySpace(wanted: NamedThing, candidates: readonly NamedThing[]): readonly NamedThing[] {
  if (wanted.kind !== 'destination' || wanted.spaceId == null) return [];
  return candidates.filter((thing) => thing.spaceId === wanted.spaceId).slice(0, 2);
}

function isSameText(left: string | null | undefined, right: string | null | undefined): boolean {
  return left != null && right != null && left.trim().toLowerCase() === right.trim().toLowerCase();
}

const KIND_WORDS: Readonly<Record<ReferenceKind, string>> = {
  pipeline: 'pipeline',
  stage: 'stage',
  user: 'user',
  person: 'person',
  organization: 'organization',
  leadLabel: 'lead label',
  activityType: 'activity type',
  field: 'field',
  option: 'option',
  destination: 'space',
};

/** `stage “Proposal” of the pipeline “Sales”`. */
function wordsOf({ kind, id, name, pipelineName, fieldName, field }: NamedThing): string {
  const own = `${KIND_WORDS[kind]} ${name === null ? id : `“${name}”`}`;
  if (pipelineName != null) return `${own} of the pipeline “${pipelineName}”`;
  return field === undefined ? own : `${own} of the field “${fieldName ?? field}”`;
}
