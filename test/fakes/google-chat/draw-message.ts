// Draws a message as Google Chat shows it. Pure: a message in, safe HTML out; chat-css.ts is its look.
import type { Card, CardHeader, CardWithId, ChatMessage, Section } from './chat-message';
import { drawChatMarkup } from './draw-chat-markup';
import { drawCardText } from './draw-card-text';
import { drawIcon, drawMaterialIcon } from './draw-icon';
import { drawWidget } from './draw-widget';
import { escapeHtml } from './escape-html';

export interface MessageFrame {
  /** The webhook's name, which Chat shows as the sender. */
  readonly sender: string;
  /** Ready to read, such as "2:05 PM". */
  readonly time: string;
  /** Unique in the page. */
  readonly id: string;
}

/**
 * The message with its sender's line, or its content alone when there is no frame.
 * @returns HTML in which everything outside Chat's own markup stands as text
 */
export function drawMessage(message: ChatMessage, frame?: MessageFrame): string {
  const id = frame?.id ?? 'message';
  const content = [
    message.text === undefined
      ? ''
      : `<div class="gc-text">${drawChatMarkup(message.text, message.markupSyntax === 'MARKUP_SYNTAX_MARKDOWN' ? 'markdown' : 'chat')}</div>`,
    ...(message.cardsV2 ?? []).map(({ card }: CardWithId, index) => drawCard(card, `${id}-${index}`)),
  ].join('');
  const notification = message.fallbackText ?? message.text ?? '';
  // The words come by CSS from the attribute, so that a browser test finds a text of the message once.
  const strip = `<div class="gc-notification" data-words="${escapeHtml(notification || '(empty notification)')}">${drawMaterialIcon('notifications', 14)}</div>`;
  if (!frame) {
    return `<div class="gc-content" title="${escapeHtml(notification)}">${content}</div>`;
  }
  return [
    `<article class="gc-message" id="${escapeHtml(id)}" title="${escapeHtml(notification)}">`,
    `<div class="gc-avatar" style="--hue:${hueOf(frame.sender)}" aria-hidden="true">${escapeHtml([...frame.sender][0]?.toUpperCase() ?? '?')}</div>`,
    `<div class="gc-content"><div class="gc-sender"><span class="gc-name">${escapeHtml(frame.sender)}</span><span class="gc-badge">App</span><time>${escapeHtml(frame.time)}</time></div>`,
    `${content}${strip}</div></article>`,
  ].join('');
}

function drawCard(card: Card, id: string): string {
  const separator = card.sectionDividerStyle === 'NO_DIVIDER' ? '' : '<hr class="gc-section-line">';
  const sections = card.sections.map((section, index) => drawSection(section, `${id}-${index}`)).join(separator);
  return `<div class="gc-card">${card.header ? drawHeader(card.header) + separator : ''}${sections}</div>`;
}

function drawHeader({ title, subtitle, imageUrl, imageType, imageAltText }: CardHeader): string {
  const shape = imageType === 'CIRCLE' ? ' gc-circle' : '';
  const image =
    imageUrl === undefined
      ? ''
      : `<img class="gc-header-image${shape}" src="${escapeHtml(imageUrl)}" alt="${escapeHtml(imageAltText ?? '')}">`;
  const second = subtitle ? `<div class="gc-subtitle">${escapeHtml(subtitle)}</div>` : '';
  return `<div class="gc-header">${image}<div class="gc-titles"><div class="gc-title${subtitle ? '' : ' gc-two-lines'}">${escapeHtml(title)}</div>${second}</div></div>`;
}

function drawSection(section: Section, id: string): string {
  const heading = section.header ? `<div class="gc-section-header">${drawCardText(section.header)}</div>` : '';
  const widgets = section.widgets.map((widget, index) => drawWidget(widget, `${id}-${index}`));
  const visibleCount = section.collapsible ? (section.uncollapsibleWidgetsCount ?? 0) : widgets.length;
  const hidden = widgets.slice(visibleCount);
  if (hidden.length === 0) {
    return `<section class="gc-section">${heading}${widgets.join('')}</section>`;
  }
  return [
    `<section class="gc-section">${heading}${widgets.slice(0, visibleCount).join('')}`,
    `<input class="gc-switch" type="checkbox" id="${id}-more"><div class="gc-hidden">${hidden.join('')}</div>`,
    `<label class="gc-collapse gc-align-${(section.collapseControl?.horizontalAlignment ?? 'START').toLowerCase()}" for="${id}-more">${collapseWords(section)}</label></section>`,
  ].join('');
}

function collapseWords({ collapseControl }: Section): string {
  const { expandButton, collapseButton } = collapseControl ?? {};
  const icon = (given: typeof expandButton): string =>
    given?.icon ? drawIcon(given.icon, 18) : drawMaterialIcon('expand_more', 18);
  return [
    `<span class="gc-when-closed">${escapeHtml(expandButton?.text ?? 'Show more')}${icon(expandButton)}</span>`,
    `<span class="gc-when-open">${escapeHtml(collapseButton?.text ?? 'Show less')}<span class="gc-turned">${icon(collapseButton)}</span></span>`,
  ].join('');
}

function hueOf(name: string): number {
  return [...name].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 360, 200);
}
