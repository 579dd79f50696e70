/** Makes the bodies of claimed deliveries: names gathered for all of them at once, each rendered by its own destination's settings. */

import type { GatherFacts } from '../messages/gather-facts';
import { NO_NAMES } from '../messages/names';
import { referencesOf } from '../messages/references';
import { renderMessage, renderPlainMessage, type MessageSubject } from '../messages/render-message';
import type { ClaimedDelivery, RenderBodies } from './deliver-due';

/** Makes the renderer. It rejects only when the database cannot be reached. */
export function makeRenderBodies(gatherFacts: GatherFacts): RenderBodies {
  return async (tenant, deliveries) => {
    const references = deliveries.flatMap((delivery) => referencesOf(delivery.change, delivery.mode, delivery.template));
    const names = (await gatherFacts([{ tenantId: tenant.id, references }])).get(tenant.id) ?? NO_NAMES;
    return new Map(deliveries.map((delivery) => [delivery.id, bodyOf(delivery, names)]));
  };
}

function bodyOf(delivery: ClaimedDelivery, names: Parameters<typeof renderMessage>[1]): string {
  const { destination } = delivery;
  const subject: MessageSubject = {
    change: delivery.change,
    tenant: delivery.tenant,
    destination: {
      locale: destination?.locale ?? null,
      timeZone: destination?.timeZone ?? null,
      threads: destination?.threads ?? 'off',
    },
    mode: delivery.mode,
    template: delivery.template,
  };
  return JSON.stringify(delivery.isPlain ? renderPlainMessage(subject, names) : renderMessage(subject, names));
}
