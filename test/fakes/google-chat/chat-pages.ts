// Serves the stand-in's pages to people: who looks, creates spaces and adds webhooks does it here; tests use the object instead.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { chatCss } from './chat-css';
import type { ChatLedger } from './chat-ledger';
import { drawPage, drawRail, drawRoom, drawStream, drawWelcome } from './draw-page';
import { wrongPath } from './google-answers';
import { pageCss } from './page-css';
import { pageScript } from './page-script';

interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly location?: string;
  readonly body?: string;
}

// Pages show hostile text: even if something slipped through the drawing, nothing of it could run or call home.
const contentPolicy =
  "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src https: data:; form-action 'self'; base-uri 'none'; frame-ancestors *";

/** The address of a link, in a page or in the JSON that holds a part of one. */
const linkAddress = /(?<=href=\\?")https?:[^"\\]*/g;

export function makeChatPages({ ledger, leadTo }: { ledger: ChatLedger; leadTo: (address: string) => string }) {
  return {
    /** Answers every request that is not the API's. */
    async handle(request: IncomingMessage, response: ServerResponse, address: URL): Promise<void> {
      const reply = request.method === 'POST' ? takeForm(ledger, address, await readForm(request)) : show(ledger, address);
      response.writeHead(reply.status, {
        'content-type': `${reply.type ?? 'text/html'}; charset=utf-8`,
        'content-security-policy': contentPolicy,
        'cache-control': 'no-store',
        ...(reply.location === undefined ? {} : { location: reply.location }),
      });
      response.end(reply.body?.replaceAll(linkAddress, leadTo) ?? '');
    },
  };
}

function show(ledger: ChatLedger, address: URL): Reply {
  const spaceId = /^\/spaces\/([^/]+)$/.exec(address.pathname)?.[1];
  if (spaceId !== undefined && ledger.space(spaceId)) {
    return showSpace(ledger, spaceId, address.searchParams);
  }
  switch (address.pathname) {
    case '/':
      return {
        status: 200,
        body: drawPage({
          title: 'Home',
          rail: railOf(ledger, ''),
          room: drawWelcome(ledger.spaces().length),
          spaceId: '',
          ...frameOf(ledger, address.searchParams),
        }),
      };
    case '/live':
      return showLive(ledger, address.searchParams);
    case '/chat.css':
      return { status: 200, type: 'text/css', body: chatCss + pageCss };
    case '/chat.js':
      return { status: 200, type: 'text/javascript', body: pageScript };
    default:
      return { status: 404, body: wrongPath().body };
  }
}

function showSpace(ledger: ChatLedger, spaceId: string, query: URLSearchParams): Reply {
  const space = ledger.space(spaceId);
  if (!space) {
    return { status: 404, body: wrongPath().body };
  }
  ledger.markSeen(spaceId);
  const frame = frameOf(ledger, query);
  const stream = drawStream(ledger.messages(spaceId), frame.isPrint);
  const room = drawRoom({ space, webhooks: ledger.webhooks(spaceId), stream, showsWebhooks: query.has('apps') });
  return { status: 200, body: drawPage({ title: space.name, rail: railOf(ledger, spaceId), room, spaceId, ...frame }) };
}

function showLive(ledger: ChatLedger, query: URLSearchParams): Reply {
  const spaceId = query.get('space') ?? '';
  if (query.get('revision') === String(ledger.revision())) {
    return { status: 204 };
  }
  const isSpace = ledger.space(spaceId) !== undefined;
  if (isSpace) {
    ledger.markSeen(spaceId);
  }
  const stream = isSpace ? drawStream(ledger.messages(spaceId), false) : '';
  return {
    status: 200,
    type: 'application/json',
    body: JSON.stringify({ revision: ledger.revision(), rail: railOf(ledger, spaceId), stream }),
  };
}

function takeForm(ledger: ChatLedger, address: URL, form: URLSearchParams): Reply {
  const name = form.get('name')?.trim() ?? '';
  const spaceId = /^\/spaces\/([^/]+)\/webhooks$/.exec(address.pathname)?.[1];
  if (name === '' || (address.pathname !== '/spaces' && (spaceId === undefined || !ledger.space(spaceId)))) {
    return { status: name === '' ? 400 : 404, body: wrongPath().body };
  }
  if (spaceId === undefined) {
    return { status: 303, location: `/spaces/${ledger.createSpace({ name }).id}` };
  }
  ledger.createWebhook(spaceId, { name });
  return { status: 303, location: `/spaces/${spaceId}?apps` };
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let body = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    body += String(chunk);
  }
  return new URLSearchParams(body);
}

function railOf(ledger: ChatLedger, currentId: string): string {
  return drawRail(
    ledger.spaces().map((space) => ({ space, unreadCount: ledger.unreadCount(space.id), isCurrent: space.id === currentId })),
  );
}

function frameOf(ledger: ChatLedger, query: URLSearchParams) {
  return { revision: ledger.revision(), isPrint: query.has('print'), showsNotifications: query.has('notifications') };
}
