/** A message as Google Chat will show it, closely enough to decide by. It draws what Dealbell itself renders and nothing else. */

import type { VNode } from 'preact';
import type { Button, Card, ChatMessage, DecoratedText, Icon, Section, Widget } from '../src/core/chat-message';
import { CARD_ICONS } from './card-icons';
import { CardText, ChatText, WebLink } from './card-text';

/** The message under its sender's name. Headings inside are plain text, so that it fits below any heading of a page. */
export function CardPreview({ message }: { readonly message: ChatMessage }): VNode {
  return (
    <article class="chat">
      <p class="chat-sender" aria-hidden="true">
        <span class="chat-avatar">D</span> <strong>Dealbell</strong> <span class="chat-app">App</span>
      </p>
      {message.text !== undefined && (
        <p class="chat-text">
          <ChatText text={message.text} />
        </p>
      )}
      {(message.cardsV2 ?? []).map(({ card }) => (
        <ChatCard card={card} />
      ))}
    </article>
  );
}

function ChatCard({ card: { header, sections } }: { readonly card: Card }): VNode {
  return (
    <div class="chat-card">
      <div class="chat-head">
        <p class="chat-title">{header.title}</p>
        {header.subtitle !== undefined && <p class="chat-subtitle">{header.subtitle}</p>}
      </div>
      {sections.map((section) => (
        <ChatSection section={section} />
      ))}
    </div>
  );
}

function ChatSection({ section }: { readonly section: Section }): VNode {
  const { header, widgets, collapsible = false, uncollapsibleWidgetsCount = 0 } = section;
  const visible = collapsible ? widgets.slice(0, uncollapsibleWidgetsCount) : widgets;
  const folded = widgets.slice(visible.length);
  return (
    <div class="chat-section">
      {header !== undefined && folded.length === 0 && (
        <p class="chat-label">
          <CardText html={header} />
        </p>
      )}
      {visible.map((widget) => (
        <ChatWidget widget={widget} />
      ))}
      {folded.length > 0 && (
        <details>
          <summary>{header === undefined ? 'Show more' : <CardText html={header} />}</summary>
          {folded.map((widget) => (
            <ChatWidget widget={widget} />
          ))}
        </details>
      )}
    </div>
  );
}

function ChatWidget({ widget }: { readonly widget: Widget }): VNode {
  if ('textParagraph' in widget) {
    const { text, maxLines } = widget.textParagraph;
    return (
      <p class={maxLines === undefined ? 'chat-paragraph' : `chat-paragraph chat-lines-${maxLines <= 3 ? 'few' : 'many'}`}>
        <CardText html={text} />
      </p>
    );
  }
  if ('decoratedText' in widget) return <Decorated row={widget.decoratedText} />;
  if ('buttonList' in widget) {
    return (
      <p class="chat-buttons">
        {widget.buttonList.buttons.map((button) => (
          <ChatButton button={button} />
        ))}
      </p>
    );
  }
  if ('columns' in widget) {
    return (
      <div class="chat-columns">
        {widget.columns.columnItems.map(({ widgets }) => (
          <div>
            {widgets.map((inner) => (
              <ChatWidget widget={inner} />
            ))}
          </div>
        ))}
      </div>
    );
  }
  return <hr />;
}

function Decorated({ row: { startIcon, topLabel, text, bottomLabel, button } }: { readonly row: DecoratedText }): VNode {
  return (
    <div class="chat-row">
      {startIcon !== undefined && <ChatIcon icon={startIcon} />}
      <div class="chat-words">
        {topLabel !== undefined && <p class="chat-label">{topLabel}</p>}
        <p>
          <CardText html={text} />
        </p>
        {bottomLabel !== undefined && <p class="chat-label">{bottomLabel}</p>}
      </div>
      {button !== undefined && <ChatButton button={button} />}
    </div>
  );
}

function ChatButton({ button: { text, icon, type = 'OUTLINED', onClick } }: { readonly button: Button }): VNode {
  const look = type === 'BORDERLESS' ? 'chat-button chat-plain' : 'chat-button';
  return (
    <WebLink url={onClick.openLink.url} look={look}>
      {icon !== undefined && <ChatIcon icon={icon} />}
      {text}
    </WebLink>
  );
}

/** Icons that are not ours to draw are a dot; the words beside them say everything. */
function ChatIcon({ icon: { materialIcon } }: { readonly icon: Icon }): VNode {
  const path = CARD_ICONS[materialIcon.name] ?? 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z';
  return (
    <svg class="chat-icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
