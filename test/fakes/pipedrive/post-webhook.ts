/** One HTTP POST as Pipedrive's webhook sender makes it: its headers, no redirects, a time limit. */
import http from 'node:http';
import https from 'node:https';

export type PostOutcome =
  | { readonly status: number; readonly body: string }
  | { readonly status: null; readonly failure: 'timeout' | 'unreachable'; readonly reason: string };

export type WebhookPoster = {
  /** Never throws: an unreachable receiver and a timeout (ms) are outcomes. */
  post(request: {
    url: string;
    body: string;
    user: string | null;
    password: string | null;
    timeoutMs: number;
  }): Promise<PostOutcome>;
  /** Drops the connections that are under way. */
  close(): void;
};

type PostRequest = Parameters<WebhookPoster['post']>[0];

/** Idle connections are closed before a receiver may close them: what is posted into a closed one would be lost. */
const IDLE_CONNECTION_MS = 4_000;

/** Keeps connections alive; at most `maxParallel` posts at once, the time limit of each starts when its turn comes. */
export function makeWebhookPoster(maxParallel = 100): WebhookPoster {
  const keeping = { keepAlive: true, timeout: IDLE_CONNECTION_MS };
  const agents = { plain: new http.Agent(keeping), secure: new https.Agent(keeping) };
  const waiting: (() => void)[] = [];
  let running = 0;
  let isClosed = false;

  return {
    async post(request) {
      if (running >= maxParallel) await new Promise<void>((resolve) => waiting.push(resolve));
      if (isClosed) return { status: null, failure: 'unreachable', reason: 'the stand-in is closed' };
      running += 1;
      try {
        return await postOnce(request, agents);
      } finally {
        running -= 1;
        waiting.shift()?.();
      }
    },
    close() {
      isClosed = true;
      for (const resolve of waiting.splice(0)) resolve();
      agents.plain.destroy();
      agents.secure.destroy();
    },
  };
}

function postOnce(
  { url, body, user, password, timeoutMs }: PostRequest,
  agents: { plain: http.Agent; secure: https.Agent },
): Promise<PostOutcome> {
  return new Promise((resolve) => {
    const target = new URL(url);
    const headers = {
      'user-agent': 'Pipedrive Webhooks',
      accept: 'application/json, text/plain, */*',
      'accept-encoding': 'gzip, compress, deflate, br',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(user === null ? {} : { authorization: `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` }),
    };
    const options = { method: 'POST', headers };
    const request =
      target.protocol === 'https:'
        ? https.request(target, { ...options, agent: agents.secure })
        : http.request(target, { ...options, agent: agents.plain });
    const finish = (outcome: PostOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const fail = (error: Error): void => {
      finish({ status: null, failure: 'unreachable', reason: error.message });
    };
    const timer = setTimeout(() => {
      finish({ status: null, failure: 'timeout', reason: `no answer within ${timeoutMs} ms` });
      request.destroy();
    }, timeoutMs);
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        finish({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
      });
    });
    request.end(body);
  });
}
