/** Makes the bodies of claimed deliveries: names gathered for all of them at once, each rendered by its own destination's settings. */

import type { ChatMessage } from '../core/chat-message';
import { NO_RATES, type ExchangeRates } from '../core/exchange-rates';
import { moneyOf } from '../core/record';
import type { TenantId } from '../core/tenant';
import type { RecordChange } from '../core/transition';
import type { GatherFacts } from '../messages/gather-facts';
import { markRedirected } from '../messages/mark-redirected';
import { NO_NAMES, type Names } from '../messages/names';
import { referencesOf } from '../messages/references';
import { foldReferences, renderFold, renderPlainFold } from '../messages/render-fold';
import { renderMessage, renderMessageJson, renderPlainMessage, type MessageSubject } from '../messages/render-message';
import type { RenderBodies } from './prepare-group';
import type { ClaimedDelivery } from './delivery-ledger';
import type { FoldStore } from './fold.store';

export interface RenderBodiesDependencies {
  readonly gatherFacts: GatherFacts;
  readonly loadFolds: FoldStore['loadFolds'];
  /** A tenant's exchange rates into its own currency. */
  readonly loadRates: (tenantId: TenantId, baseCurrency: string) => Promise<ExchangeRates>;
}

/** Makes the renderer. It rejects only when the database cannot be reached. */
export function makeRenderBodies({ gatherFacts, loadFolds, loadRates }: RenderBodiesDependencies): RenderBodies {
  return async (tenant, deliveries) => {
    const leads = deliveries.filter(({ foldKind }) => foldKind !== null).map(({ id }) => id);
    const folds = leads.length === 0 ? new Map<number, readonly RecordChange[]>() : await loadFolds(leads);
    const rates = hasSeveralCurrencies(folds) ? await loadRates(tenant.id, tenant.baseCurrency) : NO_RATES;
    const references = deliveries.flatMap((delivery) => {
      const changes = folds.get(delivery.id);
      if (changes !== undefined) return foldReferences(changes, rates);
      return referencesOf(delivery.change, delivery.mode, delivery.template);
    });
    const names = (await gatherFacts([{ tenantId: tenant.id, references }])).get(tenant.id) ?? NO_NAMES;
    return new Map(deliveries.map((delivery) => [delivery.id, bodyOf(delivery, folds.get(delivery.id), names, rates)]));
  };
}

/** What is of one currency needs no rates to be summed. */
function hasSeveralCurrencies(folds: ReadonlyMap<number, readonly RecordChange[]>): boolean {
  return [...folds.values()].some((changes) => new Set(changes.map(({ state }) => moneyOf(state)?.currency)).size > 1);
}

type Told = readonly RecordChange[] | undefined;

function bodyOf(delivery: ClaimedDelivery, changes: Told, names: Names, rates: ExchangeRates): string {
  const isOrdinary = changes === undefined && !delivery.isPlain && delivery.meantFor === null;
  if (isOrdinary) return renderMessageJson(subjectOf(delivery), names);
  const message = messageOf(delivery, changes, names, rates);
  return JSON.stringify(delivery.meantFor === null ? message : markRedirected(message, delivery.meantFor));
}

function messageOf(delivery: ClaimedDelivery, changes: Told, names: Names, rates: ExchangeRates): ChatMessage {
  const { destination, foldKind, isPlain, tenant } = delivery;
  if (changes !== undefined && foldKind !== null) {
    const { locale = null, timeZone = null } = destination ?? {};
    const fold = { kind: foldKind, changes, tenant, rates, destination: { locale, timeZone } };
    return isPlain ? renderPlainFold(fold, names) : renderFold(fold, names);
  }
  const subject = subjectOf(delivery);
  return isPlain ? renderPlainMessage(subject, names) : renderMessage(subject, names);
}

function subjectOf({ change, tenant, destination, mode, template }: ClaimedDelivery): MessageSubject {
  const { locale = null, timeZone = null, threads = 'off' } = destination ?? {};
  return { change, tenant, destination: { locale, timeZone, threads }, mode, template };
}
