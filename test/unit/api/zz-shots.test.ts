import { chromium as playwright } from 'playwright-core';
import { createServer } from 'node:http';
import { iframeToken, makeApiFixture } from '../../support/api-fixture';
import { useTestDatabase } from '../../support/test-database';
import request from 'supertest';
const db = useTestDatabase();
test('shots', async () => {
  const mod = await import('@sparticuz/chromium');
  const chromium = mod.default;
  const fixture = makeApiFixture(db.database);
  const tenant = await fixture.addTenant();
  const call = async (path: string, body: object) => (await request(fixture.app).post(path).set('Authorization', `Bearer ${tenant.key}`).send(body)).body.id;
  const d = await call('/chat-webhooks', { name: 'Sales team', url: 'https://chat.googleapis.com/v1/spaces/AAAAqzEXAMPLE/messages?key=k&token=t' });
  const d2 = await call('/chat-webhooks', { name: 'Management', url: 'https://chat.googleapis.com/v1/spaces/AAAAother/messages?key=k&token=t2', paused: true });
  await db.database.pool.query(`UPDATE chat_webhooks SET health='broken', health_reason='Google Chat says that this webhook or its space was deleted (404). Paste a new URL.' WHERE id=$1`, [d]);
  const r = await call('/rules', { name: 'Big wins', eventType: 'deal.won', targetWebhookIds: [d, d2] });
  const r2 = await call('/rules', { name: 'Only Enterprise pipeline', eventType: 'deal.won', filters: {pipelineIds:[3]}, targetWebhookIds: [d] });
  await call('/rules', { name: 'Losses', eventType: 'deal.lost', targetWebhookIds: [d], enabled: true });
  await db.database.pool.query(`INSERT INTO records (tenant_id, entity, entity_id, state) VALUES ($1,'deal','7','{"title":"Acme Corp – Annual licence with a rather long name"}')`, [tenant.id]);
  for (let i = 0; i < 3; i++) {
    const { rows } = await db.database.pool.query(`INSERT INTO events (tenant_id, entity, entity_id, action, meta_id, occurred_at, payload, routed_at, transitions, decisions)
     VALUES ($1,'deal','7','change',$3,now(),'{}',now(),'{deal.won}',$2) RETURNING id`, [tenant.id, JSON.stringify([{ ruleId: r, matched: true, code: 'matched' }, { ruleId: r2, matched: false, code: 'pipeline', actual: 1 }]), 'm' + i]);
    for (const [to, state, reason] of [[d, 'held', 'the destination is broken'], [d2, 'sent', null]] as const)
    await db.database.pool.query(`INSERT INTO deliveries (tenant_id, event_id, rule_id, chat_webhook_id, space_id, entity, entity_id, transition, record, occurred_at, template_mode, state, state_reason, not_before, request_id)
     VALUES ($1,$2,$3,$4,'AAAA','deal','7','{"type":"deal.won"}','{}',now(),'compact',$5,$6,now(),gen_random_uuid())`, [tenant.id, rows[0].id, r, to, state, reason]);
  }
  const server = fixture.app.listen(0);
  const address = server.address();
  const base = `http://localhost:${typeof address === 'object' && address ? address.port : 0}`;
  const token = iframeToken({ userId: 1, companyId: tenant.companyId });
  const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args, headless: true });
  const problems: string[] = [];
  for (const [name, path, width] of [
    ['settings-light', `/extension/settings?id=r&theme=light&token=${token}`, 900],
    ['settings-dark', `/extension/settings?id=r&theme=dark&token=${token}`, 900],
    ['settings-320', `/extension/settings?id=r&theme=light&token=${token}`, 320],
    ['panel-320', `/extension/panel?id=r&theme=dark&resource=deal&selectedIds=7&token=${token}`, 320],
    ['modal', `/extension/modal?id=r&theme=light&resource=deal&selectedIds=7&token=${token}`, 640],
    ['expired', `/extension/settings?id=r&theme=light&token=x`, 600],
    ['stranger', `/extension/settings?id=r&theme=dark&token=${iframeToken({ userId: 9, companyId: 9 })}`, 600],
    ['docs', `/docs`, 900],
    ['404', `/nope`, 600],
  ] as const) {
    const page = await browser.newPage({ viewport: { width, height: 700 } });
    page.on('console', (m) => problems.push(`${name} ${m.text()}`)); page.on('pageerror', (e) => problems.push(`${name} ${e.message}`));
    await page.goto(base + path);
    await page.evaluate('document.querySelectorAll("details").forEach((d,i)=>{ if(i<1) d.open=true })');
    const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
    if (wide) problems.push(`${name} scrolls sideways`);
    await page.screenshot({ path: `/tmp/shots/${name}.png`, fullPage: name !== 'docs' });
    await page.close();
  }
  // a host page on another origin (frame-ancestors would refuse loopback: header is for pipedrive only, so only the SDK talk is tried here)
  const host = createServer((_q, s) => { s.setHeader('content-type', 'text/html'); s.end(`<body><iframe id=f style="width:500px;height:300px"></iframe><script>
window.calls=[];window.ports={};addEventListener('message',e=>{const p=e.data&&e.data.payload;if(!p)return;calls.push(p);const port=e.ports[0];if(p.type==='listener'){(ports[p.event]=ports[p.event]||[]).push(port);return}if(p.type!=='command')return;port.postMessage({data:{}})});
f.src='${base}/extension/settings?id=rt1&theme=light&token=${token}';</script>`); }).listen(0);
  const hostPort = host.address();
  const page = await browser.newPage();
  await page.route('**/extension/**', async (route) => { const r = await route.fetch(); const h = { ...r.headers() }; h['content-security-policy'] = (h['content-security-policy'] ?? '').replace('https://*.pipedrive.com', '*'); await route.fulfill({ response: r, headers: h }); });
  page.on('console', (m) => problems.push(`host ${m.text()}`));
  await page.goto(`http://127.0.0.1:${typeof hostPort === 'object' && hostPort ? hostPort.port : 0}/`);
  await page.waitForFunction('window.ports.user_settings_change', undefined, { timeout: 8000 }).catch((e) => problems.push(String(e)));
  const frame = page.frames()[1];
  const before = await frame?.evaluate('document.documentElement.dataset.theme');
  await page.evaluate('ports.user_settings_change.forEach(p=>p.postMessage({data:{theme:"dark"}}))');
  await frame?.waitForFunction('document.documentElement.dataset.theme==="dark"', undefined, { timeout: 3000 }).catch((e) => problems.push(String(e)));
  console.log(JSON.stringify({ before, after: await frame?.evaluate('document.documentElement.dataset.theme'), calls: await page.evaluate('calls') }), problems);
  await browser.close(); host.close(); server.close();
}, 90000);
