/** The stand-in Pipedrive sends webhooks as Pipedrive does: envelope and diff, retries, time limit, ban. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { FakePipedrive, FakePipedriveOptions } from '../../fakes/pipedrive/fake-pipedrive';
import { startFakePipedrive } from '../../fakes/pipedrive/fake-pipedrive';
import { DEMO_COMPANY_ID, OTHER_COMPANY_ID } from '../../fakes/pipedrive/seed-crm';
import { sharedDataPath } from '../../support/shared-data';
import { aWebhook, callApi, firstDealId, install, installWithWebhook, userId } from './app-of-the-fake';
import type { WebhookReceiver } from './webhook-receiver';
import { startWebhookReceiver } from './webhook-receiver';

const webhookBody = z.object({
  data: z.record(z.string(), z.unknown()).nullable(),
  previous: z.record(z.string(), z.unknown()).nullable(),
  meta: z.record(z.string(), z.unknown()),
});

let fake: FakePipedrive;
let receiver: WebhookReceiver;

async function start(options: FakePipedriveOptions = {}): Promise<void> {
  await fake.close();
  fake = await startFakePipedrive({ retryDelaysMs: [10, 10, 10], banMs: 40, deliveryTimeoutMs: 2000, ...options });
}

beforeEach(async () => {
  fake = await startFakePipedrive({ retryDelaysMs: [10, 10, 10], banMs: 40, deliveryTimeoutMs: 2000 });
  receiver = await startWebhookReceiver();
});

afterEach(async () => {
  await fake.close();
  await receiver.close();
});

async function lastBody(): Promise<z.infer<typeof webhookBody>> {
  await fake.idle();
  return webhookBody.parse(JSON.parse(receiver.received.at(-1)?.body ?? 'null'));
}

describe('webhook payloads', () => {
  test('when a deal moves to another stage, then previous is exactly the old stage', async () => {
    await installWithWebhook(fake, receiver.url);
    const deal = fake.createDeal(DEMO_COMPANY_ID, { title: 'Refit' });
    const created = await lastBody();

    fake.updateDeal(deal.id, { stage_id: deal.stage_id + 1 }, { actorUserId: userId(fake, DEMO_COMPANY_ID, 2), bulk: true });

    const moved = await lastBody();
    expect(created).toMatchObject({ previous: null, data: { title: 'Refit', update_time: null } });
    expect(moved.previous).toEqual({ stage_id: deal.stage_id });
    expect(moved.meta).toMatchObject({
      action: 'change',
      entity: 'deal',
      entity_id: String(deal.id),
      is_bulk_edit: true,
      user_id: String(userId(fake, DEMO_COMPANY_ID, 2)),
      type: 'application',
    });
  });

  test('when a deal is lost and reopened, then the times and the reason come and go', async () => {
    await installWithWebhook(fake, receiver.url);
    const id = firstDealId(fake);

    const lost = fake.updateDeal(id, { status: 'lost', lost_reason: 'Price' });
    const lostBody = await lastBody();
    const open = fake.updateDeal(id, { status: 'open' });
    const openBody = await lastBody();

    expect(lostBody.previous).toMatchObject({ status: 'open', close_time: null, lost_time: null, lost_reason: null });
    expect(lost.lost_time).toBe(lost.close_time);
    expect(openBody.previous).toMatchObject({ status: 'lost', lost_reason: 'Price', lost_time: lost.lost_time });
    expect([open.close_time, open.lost_time, open.lost_reason]).toEqual([null, null, null]);
  });

  test('when a deal is deleted, then data is null and previous is the whole deal', async () => {
    await installWithWebhook(fake, receiver.url);
    const deal = fake.deleteDeal(firstDealId(fake));

    const body = await lastBody();

    expect(body).toMatchObject({ data: null, previous: { id: deal.id, title: deal.title }, meta: { action: 'delete' } });
  });

  test('when deals merge or a lead is converted, then both halves share one correlation id', async () => {
    await installWithWebhook(fake, receiver.url);
    const [from = 0, to = 0] = [...fake.company(DEMO_COMPANY_ID).deals.live.keys()];
    const leadId = [...fake.company(DEMO_COMPANY_ID).leads.live.keys()][0] ?? '';

    fake.mergeDeals(from, to);
    const deal = fake.convertLead(leadId);
    await fake.idle();

    const metas = fake.deliveries.map((delivery) => delivery.event.meta);
    expect(metas).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ action: 'delete', entity_id: String(from), merged_to_id: String(to) }),
        expect.objectContaining({ action: 'change', entity_id: String(to), merged_from_id: String(from) }),
      ]),
    );
    const conversion = metas.filter((meta) => meta['entity_id'] === leadId || meta['entity_id'] === String(deal.id));
    expect(new Set(conversion.map((meta) => meta['correlation_id'])).size).toBe(1);
    expect(conversion).toHaveLength(2);
  });

  test('when a custom field changes, then previous names only that field', async () => {
    await installWithWebhook(fake, receiver.url);
    const [first, second] = fake.company(DEMO_COMPANY_ID).customFields.deal;
    const deal = fake.createDeal(DEMO_COMPANY_ID);

    fake.updateDeal(deal.id, { custom_fields: { ...deal.custom_fields, [first?.code ?? '']: { type: 'enum', id: 41 } } });

    const body = await lastBody();
    expect(body.previous).toEqual({ custom_fields: { [first?.code ?? '']: null } });
    expect(body.data?.['custom_fields']).toMatchObject({ [second?.code ?? '']: null });
  });

  test('when a user is renamed, then the event has the odd shape of user events', async () => {
    await installWithWebhook(fake, receiver.url);
    const id = userId(fake, DEMO_COMPANY_ID, 1);

    fake.renameUser(id, 'Ben Stone');

    const body = await lastBody();
    expect(body.data?.['id']).toBe(String(id));
    expect(body.meta['id']).toBe(String(id));
    expect(typeof body.meta['timestamp']).toBe('number');
    expect(body.meta).not.toHaveProperty('permitted_user_ids');
  });

  test('when a deal is private, then only its owner and admins hear of it', async () => {
    const { access_token: token } = await install(fake, DEMO_COMPANY_ID, 1);
    await callApi(fake, { token: token, path: '/api/v1/webhooks', body: aWebhook(receiver.url) });

    fake.createDeal(DEMO_COMPANY_ID, { visible_to: '1', owner_id: userId(fake, DEMO_COMPANY_ID, 2) });
    fake.createDeal(DEMO_COMPANY_ID, { visible_to: '1', owner_id: userId(fake, DEMO_COMPANY_ID, 1) });
    fake.createDeal(OTHER_COMPANY_ID);
    await fake.idle();

    expect(fake.deliveries).toHaveLength(1);
  });

  test('when a payload is sent, then its keys and headers are those of a captured one', async () => {
    const real = sharedDataPath('pipedrive/webhooks/v2-real-deal-change-stage-2026-01.json');
    if (real === null) return;
    await installWithWebhook(fake, receiver.url);
    fake.updateDeal(firstDealId(fake), { title: 'Renamed' });

    const body = await lastBody();

    const sample = webhookBody.parse(JSON.parse(readFileSync(real, 'utf8')));
    expect(Object.keys(body)).toEqual(['data', 'previous', 'meta']);
    expect(Object.keys(body.meta)).toEqual(Object.keys(sample.meta));
    expect(Object.keys(body.data ?? {}).sort()).toEqual(Object.keys(sample.data ?? {}).sort());
    expect(receiver.received[0]?.headers).toMatchObject({
      'user-agent': 'Pipedrive Webhooks',
      accept: 'application/json, text/plain, */*',
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from('bell:ring').toString('base64')}`,
    });
  });
});

describe('delivery', () => {
  test('when the receiver fails, then the event is retried three times with a counted attempt', async () => {
    await installWithWebhook(fake, receiver.url);
    receiver.answerWith(503);

    fake.updateDeal(firstDealId(fake), { title: 'Again' });
    await fake.idle();

    expect(fake.deliveries.map((delivery) => [delivery.attempt, delivery.status])).toEqual([
      [1, 503],
      [2, 503],
      [3, 503],
      [4, 503],
    ]);
    expect(new Set(fake.deliveries.map((delivery) => delivery.event.meta['id'])).size).toBe(1);
  });

  test('when the receiver recovers, then the retry is the last', async () => {
    await installWithWebhook(fake, receiver.url);
    receiver.answerWith(500);
    fake.updateDeal(firstDealId(fake), { title: 'Once more' });
    while (fake.deliveries.length < 1) await new Promise((resolve) => setImmediate(resolve));

    receiver.answerWith(204);
    await fake.idle();

    expect(fake.deliveries.map((delivery) => delivery.status)).toEqual([500, 204]);
  });

  test('when the receiver does not answer in time, then that is a failure', async () => {
    await start({ deliveryTimeoutMs: 30, retryDelaysMs: [] });
    await installWithWebhook(fake, receiver.url);
    receiver.answerWith(null);

    fake.updateDeal(firstDealId(fake), { title: 'Slow' });
    await fake.idle();

    expect(fake.deliveries).toMatchObject([{ status: null, failure: 'timeout' }]);
  });

  test('when ten first attempts failed, then the webhook is silent for a while and those events are lost', async () => {
    await start({ retryDelaysMs: [], banMs: 60 });
    await installWithWebhook(fake, receiver.url);
    receiver.answerWith(404);
    for (let change = 1; change <= 10; change += 1) fake.updateDeal(firstDealId(fake), { title: `Change ${change}` });
    await fake.idle();
    const [webhookId = 0] = [...fake.webhooks.keys()];
    receiver.answerWith(200);

    fake.updateDeal(firstDealId(fake), { title: 'Lost' });
    const wasBanned = fake.isBanned(webhookId);
    while (fake.isBanned(webhookId)) await new Promise((resolve) => setTimeout(resolve, 5));
    fake.updateDeal(firstDealId(fake), { title: 'Heard again' });
    await fake.idle();

    expect(wasBanned).toBe(true);
    expect(fake.lost.map(({ event }) => event.data?.['title'])).toEqual(['Lost']);
    expect(fake.deliveries.at(-1)).toMatchObject({ status: 200, event: { data: { title: 'Heard again' } } });
  });

  test('when a raw body is sent to a webhook, then it carries the credentials and the answer comes back', async () => {
    await installWithWebhook(fake, receiver.url);
    const [webhookId = 0] = [...fake.webhooks.keys()];

    const outcome = await fake.sendRaw(webhookId, 'not json');

    expect(outcome.status).toBe(200);
    expect(receiver.received.at(-1)).toMatchObject({
      body: 'not json',
      headers: { authorization: `Basic ${Buffer.from('bell:ring').toString('base64')}` },
    });
  });
});
