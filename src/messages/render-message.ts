/** Renders one transition as the message that Google Chat gets. Pure; never throws on any record, and always fits Chat's bounds. */

import type { ChatMessage } from '../core/chat-message';
import type { ThreadPolicy } from '../core/destination';
import type { TemplateMode } from '../core/rule';
import type { TenantProfile } from '../core/tenant';
import type { RecordChange } from '../core/transition';
import { FULL_LIMITS, type Limits } from './cards';
import { chatText, cut, plain } from './escape';
import { formatFor, type Format } from './format';
import { lateNote, layOut } from './lay-out';
import { homeOf } from './links';
import type { Names } from './names';
import type { Rich } from './rich-text';
import type { Story, StoryContext } from './story';
import { tellStory } from './tell-story';
import { variablesOf } from './template-variables';
import { renderTemplate } from './text-template';

export interface MessageSubject {
  readonly change: RecordChange;
  readonly tenant: TenantProfile;
  readonly destination: { readonly locale: string | null; readonly timeZone: string | null; readonly threads: ThreadPolicy };
  readonly mode: TemplateMode;
  /** A rule's own text; it becomes the card's main paragraph. */
  readonly template: string | null;
  /** A sample that tells of nothing real; the card says so. */
  readonly isTest?: boolean;
}

/** Google takes 32,000 bytes; what is over this is set again with shorter fields. */
const MAX_BYTES = 29_000;
const SCALES = [1, 0.5, 0.2, 0.08] as const;
const FALLBACK_LENGTH = 300;

/** A card with its notification line. */
export function renderMessage(subject: MessageSubject, names: Names): ChatMessage {
  return renderFitting(subject, names).message;
}

/** The same as the JSON that Chat is sent, which is made anyhow to see that it fits. */
export function renderMessageJson(subject: MessageSubject, names: Names): string {
  return renderFitting(subject, names).json;
}

function renderFitting(subject: MessageSubject, names: Names): { readonly message: ChatMessage; readonly json: string } {
  const context = contextOf(subject, names);
  const story = tellStory(context);
  const ownText = subject.template === null ? null : renderTemplate(subject.template, variablesOf(context, story));
  for (const scale of SCALES) {
    const message = cardMessage(subject, story, ownText, scaled(scale));
    const json = JSON.stringify(message);
    if (Buffer.byteLength(json) <= MAX_BYTES) return { message, json };
  }
  const message = renderPlainMessage(subject, names);
  return { message, json: JSON.stringify(message) };
}

/** Text only: what is sent, once, when Chat has answered 400 to the card. */
export function renderPlainMessage(subject: MessageSubject, names: Names): ChatMessage {
  const story = tellStory(contextOf(subject, names));
  const head = `${story.emoji} *${chatText(headlineOf(subject, story))}*`;
  const facts = [story.title, ...story.gist, ...lateFacts(subject)].map((part) => chatText(cut(part, FULL_LIMITS.subtitle)));
  return {
    // The address stands by itself: a `<url|title>` link would carry a value from Pipedrive inside Chat's own brackets.
    text: `${[head, ...facts].join(' · ')}\n${story.link.url}`,
    markupSyntax: 'MARKUP_SYNTAX_CHAT',
    fallbackText: fallbackOf(subject, story),
    ...threadOf(subject),
  };
}

function contextOf(subject: MessageSubject, names: Names): StoryContext {
  const { change, tenant } = subject;
  return { change, names, format: formatIn(subject), companyDomain: tenant.companyDomain };
}

function formatIn({ tenant, destination }: MessageSubject): Format {
  return formatFor(destination.locale ?? tenant.locale, destination.timeZone ?? tenant.timeZone);
}

/** When it happened, if no webhook told of it and the reconciliation found it afterwards. */
function happenedLate(subject: MessageSubject): string | null {
  const { transition, occurredAt } = subject.change;
  return transition.cause?.isLate === true ? formatIn(subject).dateTime(occurredAt) : null;
}

function lateFacts(subject: MessageSubject): readonly string[] {
  const happened = happenedLate(subject);
  return happened === null ? [] : [lateNote(happened)];
}

function cardMessage(subject: MessageSubject, story: Story, ownText: Rich | null, limits: Limits): ChatMessage {
  const headline = headlineOf(subject, story);
  const isTest = subject.isTest === true;
  const card = layOut({ story, headline, ownText, mode: subject.mode, isTest, happened: happenedLate(subject) }, limits);
  const cardId = `${subject.change.transition.type.replace(/[._]/g, '-')}-${subject.mode}`;
  return { cardsV2: [{ cardId, card }], fallbackText: fallbackOf(subject, story), ...threadOf(subject) };
}

function headlineOf(subject: MessageSubject, story: Story): string {
  return subject.isTest === true ? `Test: ${story.headline}` : story.headline;
}

/** "Deal won: Acme licence · €48,000 · Ana": a phone's notification. */
function fallbackOf(subject: MessageSubject, story: Story): string {
  const [title, ...rest] = [story.title, ...lateFacts(subject), ...story.gist].map((part) =>
    cut(part.replace(/\s+/g, ' '), FULL_LIMITS.title),
  );
  return cut(plain(`${headlineOf(subject, story)}: ${[title, ...rest].join(' · ')}`), FALLBACK_LENGTH);
}

/** Notes and activities go to the thread of the record that they are about; company ids keep tenants of one space apart. */
function threadOf({ change, tenant, destination }: MessageSubject): Pick<ChatMessage, 'thread'> {
  if (destination.threads !== 'perRecord') return {};
  const { entity, id } = homeOf({ entity: change.entity, id: change.entityId }, change.state);
  const safeId = id.replace(/[^\w-]/g, '').slice(0, 100);
  return { thread: { threadKey: `pd-${String(tenant.companyId)}-${entity}-${safeId}` } };
}

function scaled(scale: number): Limits {
  const at = (limit: number) => Math.max(10, Math.floor(limit * scale));
  return {
    title: at(FULL_LIMITS.title),
    subtitle: at(FULL_LIMITS.subtitle),
    label: at(FULL_LIMITS.label),
    text: at(FULL_LIMITS.text),
    paragraph: at(FULL_LIMITS.paragraph),
  };
}
