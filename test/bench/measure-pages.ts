/** What a page of the settings takes at the server, one request at a time, its CPU, and what the first load brings over the line. */

import { Agent, request as openRequest } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { SignJWT } from 'jose';
import { CLIENT_SECRET } from './measured-app';
import { FIRST_OWNER_ID, OWNERS_PER_TENANT } from './deal-events';
import { figure, type Figure } from './figures';
import { RULES, seedBusyCompany } from './seed-busy-company';
import { seedHistory } from './seed-history';
import { FIRST_COMPANY_ID } from './seed-tenants';
import type { RunningApp, Stage } from './stage';

const AIM_MS = 50;
const AIM_KB = 60;

/** `:rule`, `:space`, `:event` and `:newest` stand for one of each; the pages are those of the navigation and what they lead to. */
const PAGES = [
  ...[
    'overview',
    'spaces',
    'spaces/new',
    'spaces/:space',
    'spaces/:space/url',
    'rules',
    'rules/new',
    'rules/:rule',
    'rules/presets',
  ],
  ...['activity', 'activity?deal=roof', 'activity?deal=%231000007', 'activity?deal=no%20such%20deal', 'activity?rule=:rule'],
  ...['activity?status=sent', 'activity?status=failed', 'activity?status=silent', 'activity?rule=:rule&status=silent'],
  ...[
    'activity?before=:event',
    'activity/news?known=:newest&told=0&rows=',
    'account',
    'account/audit',
    'account/export',
    'account/import',
  ],
] as const;

/** The panel and the modal of a deal with a past: as Pipedrive frames them, and what they ask for while they are open. */
const ABOUT = 'resource=deal&selectedIds=1000007';
const FRAMES = ['panel', 'modal'] as const;
const FRAME_PARTS = ['panel/told', 'modal/preview'] as const;

interface Asked {
  readonly path: string;
  /** Sent by POST; null: GET. */
  readonly form: string | null;
}

interface Answer {
  readonly status: number;
  readonly ms: number;
  /** Of the body, as it came over the line. */
  readonly bytes: number;
  readonly text: string;
}

/** 100,000 events of one company and 10,000 of each of nine others; every figure is of requests in turn with those of the other pages. */
export async function measurePages(stage: Stage, isQuick: boolean): Promise<readonly Figure[]> {
  const events = isQuick ? 20_000 : 100_000;
  const databaseUrl = await stage.ledger.copy();
  await seedHistory(databaseUrl, events);
  await seedBusyCompany(databaseUrl, events);
  const [ids] = await stage.ledger.query(
    databaseUrl,
    `SELECT (SELECT max(id) FROM rules) AS rule, (SELECT min(id) FROM chat_webhooks) AS space, (SELECT max(id) - ${events / 2} FROM events) AS event,
            (SELECT max(id) FROM events) AS newest`,
  );
  const app = await stage.startApp('postgres', { web: true, worker: false, databaseUrl });
  const agent = new Agent({ keepAlive: true });
  try {
    const signed = await new SignJWT({ userId: FIRST_OWNER_ID, companyId: FIRST_COMPANY_ID })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(CLIENT_SECRET));
    const ask = (path: string, headers: Readonly<Record<string, string>> = {}, form: string | null = null) =>
      answerTo({ port: app.port, agent, path, headers, form });
    const first = `/extension/settings?token=${signed}`;
    const { text } = await ask(first);
    const token = /<meta name="page-token" content="([^"]+)"/.exec(text)?.[1] ?? '';
    const pages = new Map<string, Asked>([
      ...PAGES.map((page) => [page, { path: `/extension/settings/${withIds(page, ids ?? {})}`, form: null }] as const),
      ...FRAMES.map((frame) => [frame, { path: `/extension/${frame}?token=${signed}&${ABOUT}`, form: null }] as const),
      ...FRAME_PARTS.map((part) => [part, { path: `/extension/${part}`, form: ABOUT }] as const),
    ]);
    const signedIn = { Authorization: `Bearer ${token}`, 'HX-Request': 'true' };
    const rounds = isQuick ? 15 : 40;
    const askSigned = ({ path, form }: Asked) => ask(path, signedIn, form);
    const times = await inTurn(pages, rounds, askSigned);
    const cpu = await cpuPerRequest(stage, app, pages, askSigned);
    const draft = new URLSearchParams({ eventType: 'deal.won', layout: 'detailed', space: String(ids?.['space']) }).toString();
    const card = new Map([['card', { path: '/extension/settings/rules/preview/part', form: draft }]]);
    const cards = await inTurn(card, rounds, askSigned);
    return [
      ...[...times].map(([page, taken]) => figure('pages', `server time of ${page}`, 'ms', taken, `median under ${AIM_MS}`)),
      ...[...cpu].map(([page, ms]) => figure('pages', `CPU of ${page}, server and database`, 'ms', ms, `under ${AIM_MS}`)),
      figure('pages', 'the card of a rule while it is filled in, by 500 events', 'ms', cards.get('card') ?? []),
      figure(
        'pages',
        `first load, gzip, with ${RULES} rules and ${OWNERS_PER_TENANT} spaces`,
        'kB',
        [await firstLoadKb(first, ask)],
        `under ${AIM_KB}`,
      ),
    ];
  } finally {
    agent.destroy();
    await app.stop();
    await stage.ledger.drop(databaseUrl);
  }
}

function withIds(page: string, ids: Readonly<Record<string, unknown>>): string {
  return page.replaceAll(/:(rule|space|event|newest)\b/g, (_, name: string) => String(ids[name]));
}

/** Each page once per round; the first rounds warm up. */
async function inTurn(
  pages: ReadonlyMap<string, Asked>,
  rounds: number,
  ask: (asked: Asked) => Promise<Answer>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const times = new Map<string, number[]>([...pages.keys()].map((page) => [page, []]));
  for (let round = -3; round < rounds; round += 1) {
    for (const [page, asked] of pages) {
      const { status, ms } = await ask(asked);
      if (status !== 200 && status !== 204) throw new Error(`${page} was answered with ${status}`);
      if (round >= 0) times.get(page)?.push(ms);
    }
  }
  return times;
}

const MEASURES = 5;
const REQUESTS_PER_MEASURE = 10;

/** What no other load on the machine changes. A connection to the database that ends takes its time with it: one measure of several is less then. */
async function cpuPerRequest(
  { ledger }: Stage,
  { usage, databaseUrl }: RunningApp,
  pages: ReadonlyMap<string, Asked>,
  ask: (asked: Asked) => Promise<Answer>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const total = async () => (await usage()).cpuMs + ((await ledger.cpuMs(databaseUrl)) ?? 0);
  const found = new Map<string, readonly number[]>();
  for (const [page, asked] of pages) {
    const measures: number[] = [];
    while (measures.length < MEASURES) {
      const before = await total();
      for (let request = 0; request < REQUESTS_PER_MEASURE; request += 1) await ask(asked);
      measures.push(((await total()) - before) / REQUESTS_PER_MEASURE);
    }
    found.set(page, measures);
  }
  return found;
}

/** The document and everything that it names, as a browser loads it that has nothing yet. */
async function firstLoadKb(path: string, ask: (path: string) => Promise<Answer>): Promise<number> {
  const document = await ask(path);
  const named = [...document.text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, found]) => found ?? '');
  if (named.length === 0) throw new Error('the first page names no file');
  let bytes = document.bytes;
  for (const file of new Set(named)) bytes += (await ask(file)).bytes;
  return bytes / 1000;
}

function answerTo({
  port,
  agent,
  path,
  headers,
  form,
}: {
  readonly port: number;
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
} & Asked): Promise<Answer> {
  const sentAtMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = form === null ? {} : { 'Content-Type': 'application/x-www-form-urlencoded' };
    const request = openRequest({
      ...{ host: '127.0.0.1', port, path, agent, method: form === null ? 'GET' : 'POST' },
      headers: { 'Accept-Encoding': 'gzip', ...sent, ...headers },
    });
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const ms = performance.now() - sentAtMs;
        const body = Buffer.concat(chunks);
        const text = response.headers['content-encoding'] === 'gzip' ? gunzipSync(body).toString() : body.toString();
        resolve({ status: response.statusCode ?? 0, ms, bytes: body.length, text });
      });
    });
    request.on('error', reject);
    request.end(form ?? '');
  });
}
