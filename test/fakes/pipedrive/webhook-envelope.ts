/** Builds the body of one webhooks v2 delivery; key order as in captured requests (data, previous, meta). */
import type { CrmEvent } from './entity-actions';

export type WebhookRegistration = {
  readonly id: number;
  readonly companyId: number;
  /** Who created it; the app or the user's own API token. */
  readonly ownerId: number;
  /** Whose permissions decide what it hears of. */
  readonly userId: number;
  readonly kind: 'application' | 'general';
  readonly eventAction: string;
  readonly eventObject: string;
  readonly subscriptionUrl: string;
  readonly name: string;
  readonly httpAuthUser: string | null;
  readonly httpAuthPassword: string | null;
  readonly addTime: string;
  isActive: boolean;
  lastDeliveryTime: string | null;
  lastHttpStatus: number | null;
};

export type WebhookBody = {
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly previous: Readonly<Record<string, unknown>> | null;
  readonly meta: Readonly<Record<string, unknown>>;
};

/** Whether a webhook hears of an event: its object, its action, and what its user may see. */
export function hears(webhook: WebhookRegistration, event: CrmEvent): boolean {
  return (
    webhook.isActive &&
    webhook.companyId === event.company.id &&
    (webhook.eventObject === '*' || webhook.eventObject === event.entity) &&
    (webhook.eventAction === '*' || webhook.eventAction === event.action) &&
    event.permittedUserIds.includes(webhook.userId)
  );
}

/** The body for one webhook; `attempt` is 1 here and set anew for retries by `asAttempt`. */
export function webhookBody(event: CrmEvent, webhook: WebhookRegistration, eventUuid: string): WebhookBody {
  const isUser = event.entity === 'user';
  return {
    data: event.data,
    previous: event.previous,
    meta: {
      action: event.action,
      company_id: String(event.company.id),
      correlation_id: event.correlationId,
      entity_id: event.entityId,
      entity: event.entity,
      // User events are the odd ones: the id of the user, and seconds as a number.
      id: isUser ? event.entityId : eventUuid,
      is_bulk_edit: event.isBulkEdit,
      timestamp: isUser ? Math.floor(event.occurredAt.getTime() / 1000) : event.occurredAt.toISOString(),
      type: webhook.kind,
      user_id: String(event.actorUserId),
      version: '2.0',
      webhook_id: String(webhook.id),
      webhook_owner_id: String(webhook.ownerId),
      change_source: event.source,
      ...(isUser ? {} : { permitted_user_ids: event.permittedUserIds.map(String) }),
      attempt: 1,
      host: `${event.company.domain}.pipedrive.com`,
      ...(event.mergedToId === undefined ? {} : { merged_to_id: event.mergedToId }),
      ...(event.mergedFromId === undefined ? {} : { merged_from_id: event.mergedFromId }),
    },
  };
}

/** The same event, sent again. */
export function asAttempt(body: WebhookBody, attempt: number): WebhookBody {
  return { ...body, meta: { ...body.meta, attempt } };
}
