/** Decides which due messages of a destination are told in one, so that a space is told all of it in time. Pure: no clock, no database. */

import type { EventType } from '../core/transition';

/** A backlog must be told within this time: more messages than fit into it are folded. */
const LATENCY_GOAL_MS = 10_000;
/** While a burst goes on, its fold waits for the rest of it, this long at most; what is left of the goal is for the telling. */
const GATHER_MS = 4_000;

/** A message that may be folded. */
export interface FoldCandidate {
  readonly id: number;
  readonly type: EventType;
  readonly entity: string;
  readonly entityId: string;
  readonly actorUserId: number | null;
  /** Common to the events of one operation. */
  readonly correlationId: string | null;
  readonly isBulkEdit: boolean;
  /** Bytes that its name takes in the message; 0 for what need not be named. */
  readonly nameBytes: number;
}

/** Bytes that names may take of one message: of one that tells only what has to be named, and of one that tells other things too. */
export interface NameRoom {
  readonly alone: number;
  readonly amidOthers: number;
}

/** Messages that are told as one: by the message of the first, for the others too. */
export interface Fold {
  readonly leadId: number;
  readonly memberIds: readonly number[];
}

/** How it stands with a space whose next message may go now. */
export interface Backlog {
  /** Messages of the space that are due now or in a moment, counted no further than needed. */
  readonly due: number;
  /** Messages were folded here a moment ago. */
  readonly isBurst: boolean;
  /** More is on its way. */
  readonly isGrowing: boolean;
  /** What is due and has to be named fills a message. */
  readonly isFull: boolean;
  /** How long the next message has been due. */
  readonly waitedMs: number;
}

/** More due messages than this are folded; infinitely many when nothing keeps them from going at once. `threshold`: the destination's own. */
export function foldLimit(threshold: number | null, spaceIntervalMs: number): number {
  return threshold ?? (spaceIntervalMs > 0 ? Math.floor(LATENCY_GOAL_MS / spaceIntervalMs) : Infinity);
}

/** What to do now: the next message by itself, wait for the rest of the burst, or fold. */
export function foldStep({ due, isBurst, isGrowing, isFull, waitedMs }: Backlog, limit: number): 'single' | 'gather' | 'fold' {
  // What follows on the heels of a fold is the rest of the same burst.
  if (due < 2 || due <= (isBurst ? 1 : limit)) return 'single';
  return isGrowing && !isFull && waitedMs < GATHER_MS ? 'gather' : 'fold';
}

/**
 * Folds of a backlog, the one that begins with `head` first; none: `head` goes by itself. What belongs together is folded first, the
 * largest group first, until the rest can go singly in half the goal. `candidates` are due, in the order of their ids, `head` among them.
 * A message is never folded without the earlier ones about its record. Of a backlog that still grows only what fills its messages is
 * folded now.
 */
export function planBacklog(
  head: FoldCandidate,
  candidates: readonly FoldCandidate[],
  { limit, isBurst, isGrowing, nameRoom }: { limit: number; isBurst: boolean; isGrowing: boolean; nameRoom: NameRoom },
): readonly Fold[] {
  const chosen = withEarlier(
    isBurst && candidates.length <= limit ? ofGroups(candidates) : atLeast(candidates, limit),
    candidates,
  );
  if (!chosen.has(head.id) || chosen.size < 2) return [];
  const others = candidates.filter(({ id }) => chosen.has(id) && id !== head.id);
  const folds = split([head, ...others], nameRoom);
  return isGrowing && folds.length > 1 ? folds.slice(0, -1) : folds;
}

/** All of them, in the order of their ids, in as few messages as their names allow. */
export function planDigest(candidates: readonly FoldCandidate[], nameRoom: NameRoom): readonly Fold[] {
  return split(candidates, nameRoom);
}

function atLeast(candidates: readonly FoldCandidate[], limit: number): readonly number[] {
  const mayRemain = Math.floor(limit / 2);
  const chosen: number[] = [];
  for (const group of groupsOf(candidates)) {
    if (candidates.length - chosen.length <= mayRemain) break;
    chosen.push(...group);
  }
  return chosen;
}

/** In the wake of a burst only what belongs together. */
function ofGroups(candidates: readonly FoldCandidate[]): readonly number[] {
  return groupsOf(candidates)
    .filter((group) => group.length > 1)
    .flat();
}

/** Ids of one operation, else of one person's changes of one kind; the largest group first, what has to be named last. */
function groupsOf(candidates: readonly FoldCandidate[]): readonly (readonly number[])[] {
  const operations = new Map<string, number>();
  for (const { correlationId } of candidates) {
    if (correlationId !== null) operations.set(correlationId, (operations.get(correlationId) ?? 0) + 1);
  }
  const groups = new Map<string, { readonly ids: number[]; isNamed: boolean }>();
  for (const candidate of candidates) {
    const { correlationId, actorUserId, type, isBulkEdit } = candidate;
    const isOperation = correlationId !== null && (operations.get(correlationId) ?? 0) > 1;
    const key = isOperation ? `operation ${correlationId}` : `${actorUserId ?? ''} ${type} ${isBulkEdit ? 'bulk' : ''}`;
    const group = groups.get(key);
    const isNamed = candidate.nameBytes > 0;
    if (group === undefined) groups.set(key, { ids: [candidate.id], isNamed });
    else {
      group.ids.push(candidate.id);
      group.isNamed ||= isNamed;
    }
  }
  return [...groups.values()]
    .sort((left, right) => right.ids.length - left.ids.length || Number(left.isNamed) - Number(right.isNamed))
    .map(({ ids }) => ids);
}

/** With every earlier one about the same records. */
function withEarlier(ids: readonly number[], candidates: readonly FoldCandidate[]): ReadonlySet<number> {
  const chosen = new Set(ids);
  const records = new Set<string>();
  for (const { id, entity, entityId } of [...candidates].reverse()) {
    const record = `${entity}/${entityId}`;
    if (chosen.has(id)) records.add(record);
    else if (records.has(record)) chosen.add(id);
  }
  return chosen;
}

/** In order, so that no record's changes are told out of turn; a new message begins when the names would not fit any more. */
function split(candidates: readonly FoldCandidate[], nameRoom: NameRoom): readonly Fold[] {
  const folds: { leadId: number; memberIds: number[] }[] = [];
  let bytes = 0;
  let isAlone = true;
  for (const { id, nameBytes } of candidates) {
    const last = folds.at(-1);
    bytes += nameBytes;
    isAlone &&= nameBytes > 0;
    if (last !== undefined && bytes <= (isAlone ? nameRoom.alone : nameRoom.amidOthers)) last.memberIds.push(id);
    else {
      folds.push({ leadId: id, memberIds: [] });
      bytes = nameBytes;
      isAlone = nameBytes > 0;
    }
  }
  return folds;
}
