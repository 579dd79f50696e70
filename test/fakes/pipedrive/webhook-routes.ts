/** `/api/v1/webhooks`: register, list and delete webhooks by Pipedrive's rules. There is no update. */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { Router } from 'express';
import { z } from 'zod';
import { isAdmin } from './crm-records';
import type { Caller, HttpGate } from './http-gate';
import type { Ids } from './ids';
import type { WebhookRegistration } from './webhook-envelope';

const MAX_WEBHOOKS_PER_USER = 40;
const OBJECTS = [
  'activity',
  'deal',
  'lead',
  'note',
  'organization',
  'person',
  'pipeline',
  'product',
  'stage',
  'user',
  'project',
  'task',
  'board',
  'phase',
  'deal_installment',
  'deal_product',
  '*',
] as const;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

const wanted = z.object({
  subscription_url: z.string().refine((text) => /^https?:\/\//.test(text) && URL.canParse(text), 'invalid or non-reachable URL'),
  event_action: z.enum(['create', 'change', 'delete', '*']),
  event_object: z.enum(OBJECTS),
  name: z.string().min(1).max(255),
  user_id: z.coerce.number().int().optional(),
  http_auth_user: z.string().nullish(),
  http_auth_password: z.string().nullish(),
  // Real Pipedrive also takes 1.0; the stand-in can only send 2.0.
  version: z.literal('2.0').default('2.0'),
});

type Needs = {
  gate: HttpGate;
  webhooks: Map<number, WebhookRegistration>;
  ids: Ids;
  clock: () => Date;
  onRemoved: (webhookId: number) => void;
};

export function makeWebhookRoutes({ gate, webhooks, ids, clock, onRemoved }: Needs): Router {
  const router = Router();
  const ownOf = (caller: Caller): WebhookRegistration[] => [...webhooks.values()].filter((webhook) => isOwn(webhook, caller));

  router.get('/', (request, response) => {
    response.json({ status: 'ok', success: true, data: ownOf(gate.callerOf(request)).map(webhookShape) });
  });

  router.post('/', (request, response) => {
    const caller = gate.callerOf(request);
    const body: unknown = request.body;
    const parsed = wanted.safeParse(body);
    if (!parsed.success) {
      response.status(400).json({ status: 'error', success: false, errors: errorsByField(parsed.error) });
      return;
    }
    const url = new URL(parsed.data.subscription_url);
    if (url.protocol === 'http:' && !LOOPBACK.has(url.hostname)) {
      // A plain http URL gets this misleading answer.
      response.status(403).json({
        success: false,
        error: 'Scope and URL mismatch',
        errorCode: 403,
        error_info: 'Please check developers.pipedrive.com',
      });
      return;
    }
    const userId = parsed.data.user_id ?? caller.user.id;
    if (!caller.company.users.live.has(userId) || (userId !== caller.user.id && !isAdmin(caller.user))) {
      response.status(400).json({ status: 'error', success: false, errors: { user_id: ['invalid user'] } });
      return;
    }
    if (ownOf(caller).length >= MAX_WEBHOOKS_PER_USER) {
      response.status(422).json({ status: 'error', success: false, error: 'Webhooks limit reached', errorCode: 422 });
      return;
    }
    const webhook = register(caller, userId, parsed.data);
    response.status(201).json({ status: 'ok', success: true, data: webhookShape(webhook) });
  });

  router.delete('/:id', (request: Request<{ id: string }>, response: Response) => {
    const caller = gate.callerOf(request);
    const webhook = webhooks.get(Number(request.params.id));
    if (webhook === undefined || webhook.companyId !== caller.company.id)
      response.status(404).json({ status: 'error', success: false, errors: { id: ['not found'] } });
    else if (!isOwn(webhook, caller)) response.status(403).json({ success: false, message: 'Forbidden' });
    else {
      webhooks.delete(webhook.id);
      onRemoved(webhook.id);
      response.json({ status: 'ok', success: true });
    }
  });

  function register(caller: Caller, userId: number, asked: z.infer<typeof wanted>): WebhookRegistration {
    const webhook: WebhookRegistration = {
      id: ids.next('webhook'),
      companyId: caller.company.id,
      ownerId: caller.user.id,
      userId,
      kind: kindFor(caller),
      eventAction: asked.event_action,
      eventObject: asked.event_object,
      subscriptionUrl: asked.subscription_url,
      name: asked.name,
      httpAuthUser: asked.http_auth_user ?? null,
      httpAuthPassword: asked.http_auth_password ?? null,
      addTime: clock().toISOString(),
      isActive: true,
      lastDeliveryTime: null,
      lastHttpStatus: null,
    };
    webhooks.set(webhook.id, webhook);
    return webhook;
  }
  return router;
}

function isOwn(webhook: WebhookRegistration, caller: Caller): boolean {
  return webhook.companyId === caller.company.id && webhook.ownerId === caller.user.id && webhook.kind === kindFor(caller);
}

/** Webhooks made with the app's OAuth token belong to the app. */
function kindFor(caller: Caller): WebhookRegistration['kind'] {
  return caller.via === 'oauth' ? 'application' : 'general';
}

function errorsByField(error: z.ZodError): Record<string, string[]> {
  const byField: Record<string, string[]> = {};
  for (const issue of error.issues) (byField[String(issue.path[0] ?? 'body')] ??= []).push(issue.message);
  return byField;
}

function webhookShape(webhook: WebhookRegistration): Record<string, unknown> {
  return {
    id: webhook.id,
    company_id: webhook.companyId,
    owner_id: webhook.ownerId,
    user_id: webhook.userId,
    event_action: webhook.eventAction,
    event_object: webhook.eventObject,
    subscription_url: webhook.subscriptionUrl,
    version: '2.0',
    is_active: webhook.isActive ? 1 : 0,
    add_time: webhook.addTime,
    remove_time: null,
    type: webhook.kind,
    http_auth_user: opaque(webhook.httpAuthUser),
    http_auth_password: opaque(webhook.httpAuthPassword),
    remove_reason: null,
    last_delivery_time: webhook.lastDeliveryTime,
    last_http_status: webhook.lastHttpStatus,
    admin_id: webhook.ownerId,
    name: webhook.name,
  };
}

/** Credentials cannot be read back: Pipedrive shows an encrypted blob. */
function opaque(secret: string | null): string | null {
  return secret === null ? null : `v1u:AQIBAHh${createHash('sha512').update(secret).digest('base64')}`;
}
