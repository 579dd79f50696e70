/** The rules of the first run: presets, and the answers to three questions. Pure. */

import { presetsFor, type Preset } from '../rules/presets';

/** What the first run asks. */
export interface FirstAnswers {
  readonly winsSpaceId: number;
  /** Null: nothing but wins for now. */
  readonly teamSpaceId: number | null;
  readonly bigDeal: { readonly amount: number; readonly currency: string };
  /** Keys of the presets that the team shall hear of. */
  readonly teamNews: readonly string[];
}

/** The body of `POST /rules`, as far as presets fill it. */
export interface FirstRule {
  readonly name: string;
  readonly eventType: string;
  readonly filters: object;
  readonly templateMode: string;
  readonly settleMs: number | null;
  readonly stopAfter: boolean;
  readonly position: number;
  readonly targetWebhookIds: readonly number[];
}

const BIG_WIN = 'big-deal-won';
const WIN = 'deal-won';
/** Questions that the preset's own suggestion answers well enough for a beginning. */
const SUGGESTED: ReadonlySet<string> = new Set(['amount', 'percent', 'days']);

/** What the team can be offered at once: presets of the usual set that need no answer which only the user knows. */
export function teamPresets(currency: string): readonly Preset[] {
  return presetsFor(currency).filter(
    ({ key, defaultOn, asks }) => defaultOn && key !== WIN && key !== BIG_WIN && asks.every(({ kind }) => SUGGESTED.has(kind)),
  );
}

/** Big wins first and in detail; as that rule ends the matter, a big win is told once. */
export function firstRules({ winsSpaceId, teamSpaceId, bigDeal, teamNews }: FirstAnswers): readonly FirstRule[] {
  const presets = presetsFor(bigDeal.currency);
  const wins = [BIG_WIN, WIN].flatMap((key) => presets.find((preset) => preset.key === key) ?? []);
  const news = teamSpaceId === null ? [] : teamPresets(bigDeal.currency).filter(({ key }) => teamNews.includes(key));
  return [
    ...wins.map((preset) => ({ preset, spaceId: winsSpaceId })),
    ...news.map((preset) => ({ preset, spaceId: teamSpaceId ?? winsSpaceId })),
  ].map(({ preset, spaceId }, index) => ({
    name: preset.name,
    eventType: preset.eventType,
    filters:
      preset.key === BIG_WIN ? { ...preset.filters, minValue: bigDeal.amount, currency: bigDeal.currency } : preset.filters,
    templateMode: preset.templateMode,
    settleMs: preset.settleMs,
    stopAfter: preset.key === BIG_WIN,
    position: index + 1,
    targetWebhookIds: [spaceId],
  }));
}
