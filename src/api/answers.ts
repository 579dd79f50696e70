/** What each request of the API answers when it succeeds: for the API's description. Fields may be added, so nothing here is closed. */

import { z } from 'zod';
import { FOLD_KINDS } from '../core/delivery';
import { FOLD_POLICIES, HEALTH_STATES, quietHoursSchema, THREAD_POLICIES } from '../core/destination';
import { digestSchema, TEMPLATE_MODES } from '../core/rule';
import { EVENT_TYPES } from '../core/transition';

const id = z.int().positive();
const moment = z.iso.datetime({ offset: true });
const anyObject = z.looseObject({});
const page = (item: z.ZodType) =>
  z.looseObject({ items: z.array(item), nextCursor: z.string().nullable().describe('For `cursor`; null on the last page') });

const rule = z.looseObject({
  ...{ id, name: z.string(), eventType: z.enum(EVENT_TYPES) },
  filters: z.looseObject({
    ...{ pipelineIds: z.array(id).optional(), stageIds: z.array(id).optional(), fromStageIds: z.array(id).optional() },
    ...{ ownerIds: z.array(id).optional(), minValue: z.number().optional(), currency: z.string().optional() },
    fields: z.array(z.string()).optional(),
    conditions: anyObject.optional().describe('A tree of {all}, {any}, {not} over {field, op, value}'),
  }),
  ...{ targetWebhookIds: z.array(id), templateMode: z.enum(TEMPLATE_MODES), template: z.string().nullable() },
  settleMs: z.int().nullable().describe('Null: the installation’s'),
  ...{ position: z.int(), stopAfter: z.boolean(), enabled: z.boolean(), enabledAt: moment, author: z.string().nullable() },
  urgent: z.boolean().describe('Goes through quiet hours'),
  digest: digestSchema
    .nullable()
    .describe('When its messages are told together, in the destination’s time zone; null: each at once'),
  ...{ version: z.int().positive(), createdAt: moment, updatedAt: moment },
  needsAttention: z.boolean(),
  attention: z.array(z.looseObject({ path: z.string(), message: z.string() })).describe('What it names and is gone at Pipedrive'),
});

const chatWebhook = z.looseObject({
  ...{ id, name: z.string(), spaceId: z.string(), maskedUrl: z.string() },
  ...{ health: z.enum(HEALTH_STATES), healthReason: z.string().nullable(), paused: z.boolean() },
  ...{ threads: z.enum(THREAD_POLICIES), timeZone: z.string().nullable(), locale: z.string().nullable() },
  fold: z.enum(FOLD_POLICIES).describe('auto: what cannot be told within ten seconds is told in one message'),
  foldThreshold: z
    .int()
    .nullable()
    .describe('More messages due at once than this are folded; null: as many as go within ten seconds'),
  ...{ quietHours: quietHoursSchema.nullable(), createdAt: moment, updatedAt: moment },
});

const ofRule = id.nullable().describe('Null: of a watch, or announced by hand');
const ofWatch = id.optional().describe('The watch that it is of, if it is none of a rule');
const decision = z.looseObject({
  ...{ ruleId: ofRule, watchId: ofWatch, ruleName: z.string(), matched: z.boolean(), reason: z.string() },
});
const event = z.looseObject({
  ...{ id, entity: z.string(), entityId: z.string(), action: z.string(), transitions: z.array(z.string()) },
  ...{ occurredAt: moment, receivedAt: moment, recordTitle: z.string().nullable(), decisions: z.array(decision) },
});
const attempt = z.looseObject({
  ...{
    id,
    ruleId: id.nullable(),
    watchId: ofWatch,
    deliveryId: id.nullable(),
    eventId: id.nullable(),
    status: z.enum(['success', 'failure']),
  },
  ...{ httpStatus: z.int().nullable(), errorMessage: z.string().nullable(), payload: anyObject.nullable(), createdAt: moment },
});
const delivery = z.looseObject({
  ...{
    id,
    eventId: id,
    ruleId: ofRule,
    watchId: ofWatch,
    chatWebhookId: id,
    entity: z.string(),
    entityId: z.string(),
    state: z.string(),
  },
  ...{ reason: z.string().nullable(), attempts: z.int(), requestId: z.string(), createdAt: moment },
  toldBy: z
    .looseObject({ deliveryId: id, state: z.string(), messageName: z.string().nullable() })
    .nullable()
    .describe('The delivery whose message tells this one too'),
  foldKind: z.enum(FOLD_KINDS).nullable().describe('Its message tells others too: a backlog, quiet hours, or a digest'),
  heldUntil: moment.nullable().describe('Until when it is held, when it waits for a time'),
});

const account = z.looseObject({
  tenant: z.looseObject({ id, companyId: id, companyName: z.string(), companyDomain: z.string(), baseCurrency: z.string() }),
  ...{ plan: z.string(), isTrial: z.boolean(), trialEndsAt: moment.nullable(), retentionDays: z.int() },
  limits: z.looseObject({ destinations: z.int(), activeRules: z.int(), apiKeys: z.int(), watches: z.int() }),
  usage: z.looseObject({ destinations: z.int(), activeRules: z.int(), apiKeys: z.int(), watches: z.int() }),
  settings: z.looseObject({ locale: z.string().nullable(), timeZone: z.string().nullable() }),
  needsAttention: z
    .array(
      z.looseObject({
        kind: z.enum(['webhooks', 'noAdmin', 'connection', 'destination', 'quietForEver', 'rule', 'limit', 'trialEnds']),
      }),
    )
    .describe('What waits for a person, the most urgent first'),
  webhook: z
    .looseObject({
      tenantPublicId: z.string(),
      signingSecret: z.string().nullable().describe('Null: it cannot be read any more'),
    })
    .optional()
    .describe('For admins alone'),
});

const preset = z.looseObject({
  ...{ key: z.string(), name: z.string(), description: z.string(), eventType: z.enum(EVENT_TYPES), filters: anyObject },
  ...{ templateMode: z.enum(TEMPLATE_MODES), settleMs: z.int().nullable(), defaultOn: z.boolean() },
  asks: z.array(z.looseObject({ path: z.string(), question: z.string(), kind: z.string() })),
});
const preview = z.looseObject({
  ...{ events: z.int(), messages: z.int(), perDay: z.array(z.looseObject({ date: z.iso.date(), messages: z.int() })) },
  ...{
    maxPerMinute: z.int(),
    maxPerHour: z.int(),
    quietHours: z.int().describe('Messages that fall into quiet hours of their destinations'),
  },
  stoppedBy: z
    .array(z.looseObject({ ruleId: id, ruleName: z.string(), events: z.int() }))
    .describe(
      'Rules above that tell one of its destinations instead and stop those below: nothing of this is among the messages',
    ),
  otherRules: z.array(z.looseObject({ ruleId: id, ruleName: z.string(), events: z.int() })),
  examples: z.array(z.looseObject({ eventId: id, occurredAt: moment, recordTitle: z.string().nullable(), message: anyObject })),
  ...{ complete: z.boolean(), from: moment, to: moment },
});
const ruleDocument = z.looseObject({ version: z.literal(1), exportedAt: moment, source: anyObject, rules: z.array(anyObject) });
const importReport = z.looseObject({
  stored: z.boolean(),
  references: z.array(
    z.looseObject({
      kind: z.string(),
      id: z.string(),
      resolution: z.string(),
      target: anyObject.nullable(),
      reason: z.string().nullable(),
    }),
  ),
  rules: z.array(
    z.looseObject({
      ...{ index: z.int(), name: z.string(), status: z.enum(['created', 'skipped', 'rejected']) },
      ...{ ruleId: id.nullable(), enabled: z.boolean().nullable(), reason: z.string().nullable() },
    }),
  ),
});
const watch = z.looseObject({
  ...{ id, entity: z.string(), entityId: z.string(), chatWebhookId: id, createdAt: moment },
  author: z.string().describe('Who watches'),
});
const mute = z.looseObject({ id, entity: z.string(), entityId: z.string(), createdAt: moment });
const session = z.looseObject({ token: z.string(), expiresAt: moment, tenant: anyObject });
const connected = z.looseObject({ tenant: z.looseObject({ id, companyName: z.string() }), apiKey: z.string() });
const apiKey = z.looseObject({ id, name: z.string(), createdAt: moment });
const auditEntry = z.looseObject({
  ...{ id, actor: z.string(), action: z.string(), subject: z.string(), changes: anyObject.nullable(), createdAt: moment },
});
const tested = z.looseObject({
  ...{ status: z.enum(['success', 'failure']), httpStatus: z.int().nullable(), errorMessage: z.string().optional() },
});
const queued = z.looseObject({ queued: z.int() });
const reconciliationState = z.looseObject({
  state: z.enum(['ok', 'running', 'waiting', 'failed']),
  reason: z.string().nullable(),
});

/** By method and path, as they are routed. */
export const ANSWERS: Readonly<Record<string, z.ZodType>> = {
  'post /session': session,
  'post /connect/pipedrive': connected,
  'get /chat-webhooks': page(chatWebhook),
  'post /chat-webhooks': chatWebhook,
  'get /chat-webhooks/:id': chatWebhook,
  'put /chat-webhooks/:id': chatWebhook,
  'get /presets': page(preset),
  'get /rules': page(rule),
  'post /rules': rule,
  'get /rules/:id': rule,
  'put /rules/:id': rule,
  'post /rules/preview': preview,
  'get /rules/export': ruleDocument,
  'post /rules/import': importReport,
  'post /test': tested,
  'get /logs': page(attempt),
  'get /events': page(event),
  'get /deliveries': page(delivery),
  'post /deliveries/:id/replay': queued,
  'post /deliveries/replay': queued,
  'get /mutes': page(mute),
  'post /mutes': mute,
  'get /watches': page(watch),
  'post /watches': watch,
  'post /announcements': z.looseObject({ queued: z.int(), deliveryIds: z.array(id) }),
  'get /account': account,
  'put /account': account,
  'get /api-keys': page(apiKey),
  'post /api-keys': z.looseObject({ ...apiKey.shape, key: z.string().describe('Shown this once') }),
  'get /audit': page(auditEntry),
  'get /reconciliation': reconciliationState,
  'post /reconciliation': reconciliationState,
};
