// Draws the pages of the stand-in: the list of spaces, and a space with its stream of messages. Pure: ready values in, HTML out.
import type { ChatSpace, ChatWebhook, PostedMessage } from './chat-ledger';
import { drawMaterialIcon } from './draw-icon';
import { drawMessage } from './draw-message';
import { escapeHtml } from './escape-html';

const MOST_SHOWN = 300;

export interface RailEntry {
  readonly space: ChatSpace;
  readonly unreadCount: number;
  readonly isCurrent: boolean;
}

export interface PageFrame {
  readonly title: string;
  readonly rail: string;
  readonly room: string;
  readonly spaceId: string;
  readonly revision: number;
  /** No script and no navigation, for screenshots. */
  readonly isPrint: boolean;
  readonly showsNotifications: boolean;
}

export function drawPage(page: PageFrame): string {
  const look = [page.isPrint ? 'print' : '', page.showsNotifications ? 'with-notifications' : ''].join(' ').trim();
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<title>${escapeHtml(page.title)} - stand-in Google Chat</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/chat.css"></head>`,
    `<body class="${look}"><div class="frame${page.spaceId ? ' in-space' : ''}" data-space="${escapeHtml(page.spaceId)}" data-revision="${page.revision}">`,
    `<nav class="rail" aria-label="Spaces"><a class="brand" href="/">${drawMaterialIcon('chat', 28)}<span>Chat <small>stand-in</small></span></a><div id="rail">${page.rail}</div>${createSpaceForm}</nav>`,
    `<main class="room">${page.room}</main></div>${page.isPrint ? '' : '<script src="/chat.js"></script>'}</body></html>`,
  ].join('');
}

export function drawRail(entries: readonly RailEntry[]): string {
  const items = entries.map(({ space, unreadCount, isCurrent }) => {
    const count = unreadCount > 0 ? `<span class="count" aria-label="${unreadCount} unread">${unreadCount}</span>` : '';
    const look = `${unreadCount > 0 ? ' class="unread"' : ''}${isCurrent ? ' aria-current="page"' : ''}`;
    return `<li><a href="/spaces/${space.id}"${look}>${drawTile(space)}<span class="space-name">${escapeHtml(space.name)}</span>${count}</a></li>`;
  });
  return `<h2>Spaces</h2><ul>${items.join('')}</ul>`;
}

export function drawWelcome(spaceCount: number): string {
  const words = spaceCount === 0 ? 'No space yet. Create one at the left, then add a webhook to it.' : 'Choose a space.';
  return `<div class="bar"><h1>Home</h1></div><p class="nothing">${words}</p>`;
}

export function drawRoom({
  space,
  webhooks,
  stream,
  showsWebhooks,
}: {
  space: ChatSpace;
  webhooks: readonly ChatWebhook[];
  stream: string;
  showsWebhooks: boolean;
}): string {
  const kind = space.threading === 'threaded' ? 'Space with threads' : 'Space without threads';
  return [
    `<header class="bar">${drawTile(space)}<div><h1>${escapeHtml(space.name)}</h1><p>${kind} · ${escapeHtml(space.id)}</p></div>`,
    `<div class="tools"><label><input type="checkbox" id="notifications"> Phone notifications</label>${drawWebhooks(space, webhooks, showsWebhooks)}</div></header>`,
    `<div class="stream" id="stream">${stream}</div>`,
  ].join('');
}

/** The stream, oldest first; in a threaded space the replies fold under their first message. */
export function drawStream(messages: readonly PostedMessage[], isPrint: boolean): string {
  if (messages.length === 0) {
    return '<p class="nothing">No messages yet</p>';
  }
  let day = '';
  return threadsOf(messages.slice(-MOST_SHOWN))
    .map(([first, ...replies]) => {
      if (!first) {
        return '';
      }
      const ownDay = dayOf(first.createdAt);
      const divider = ownDay === day ? '' : `<div class="day">${ownDay}</div>`;
      day = ownDay;
      return divider + drawPosted(first) + drawReplies(first, replies, isPrint);
    })
    .join('');
}

function threadsOf(messages: readonly PostedMessage[]): readonly (readonly PostedMessage[])[] {
  const threads = new Map<string, PostedMessage[]>();
  for (const message of messages) {
    const thread = threads.get(message.threadName);
    if (thread) {
      thread.push(message);
    } else {
      threads.set(message.threadName, [message]);
    }
  }
  return [...threads.values()];
}

function drawPosted(posted: PostedMessage): string {
  return drawMessage(posted.message, { sender: posted.webhookName, time: timeOf(posted.createdAt), id: domId(posted.name) });
}

function drawReplies(first: PostedMessage, replies: readonly PostedMessage[], isOpen: boolean): string {
  const last = replies.at(-1);
  if (!last) {
    return '';
  }
  const words = `${replies.length} ${replies.length === 1 ? 'reply' : 'replies'}<time>Last reply ${timeOf(last.createdAt)}</time>`;
  return `<details class="replies" id="${domId(first.threadName)}"${isOpen ? ' open' : ''}><summary>${words}</summary><div>${replies.map(drawPosted).join('')}</div></details>`;
}

function drawWebhooks(space: ChatSpace, webhooks: readonly ChatWebhook[], isOpen: boolean): string {
  const items = webhooks.map((webhook, index) => {
    const id = `webhook-${index}`;
    const field = `<input type="url" id="${id}" readonly value="${escapeHtml(webhook.url)}">`;
    return `<li class="webhook"><label for="${id}">${escapeHtml(webhook.name)}</label>${field}<button class="plain-button" type="button" data-copies="${id}">Copy link</button></li>`;
  });
  return [
    `<details class="apps" id="apps"${isOpen ? ' open' : ''}><summary>Apps &amp; integrations</summary><div><h2>Incoming webhooks</h2>`,
    items.length > 0 ? `<ul>${items.join('')}</ul>` : '<p>No webhooks in this space yet.</p>',
    `<form class="inline-form" method="post" action="/spaces/${space.id}/webhooks"><label>Name<input type="text" name="name" required maxlength="100"></label>`,
    `<button class="plain-button filled">Add webhook</button></form></div></details>`,
  ].join('');
}

const createSpaceForm =
  '<h2>New space</h2><form class="inline-form" method="post" action="/spaces"><label>Space name<input type="text" name="name" required maxlength="128"></label><button class="plain-button">Create</button></form>';

function drawTile({ name }: ChatSpace): string {
  const hue = [...name].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 360, 0);
  return `<span class="tile" style="--hue:${hue}" aria-hidden="true">${escapeHtml([...name][0]?.toUpperCase() ?? '#')}</span>`;
}

function timeOf(atMs: number): string {
  return new Date(atMs).toLocaleTimeString('en-US', { hour: 'numeric', minute: '2-digit' });
}

function dayOf(atMs: number): string {
  return new Date(atMs).toLocaleDateString('en-US', { weekday: 'long', month: 'long', day: 'numeric' });
}

function domId(resourceName: string): string {
  return resourceName.replaceAll(/[^A-Za-z0-9_-]/g, '-');
}
