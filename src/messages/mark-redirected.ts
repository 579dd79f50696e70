/** Says in a message that it was meant for another space: its own destination is broken, and this is the fallback. Pure. */

import type { ChatMessage } from '../core/chat-message';
import { FULL_LIMITS, paragraph } from './cards';
import { chatText, cut } from './escape';
import { quiet } from './rich-text';

/** The same message with a line on top. `destinationName` is what its own destination is called. */
export function markRedirected(message: ChatMessage, destinationName: string): ChatMessage {
  const words = `Meant for “${cut(destinationName, FULL_LIMITS.title)}”, which cannot take messages at the moment.`;
  const note = { widgets: [paragraph(quiet(words), FULL_LIMITS)] };
  return {
    ...message,
    ...(message.text === undefined ? {} : { text: `${chatText(words)}\n${message.text}` }),
    ...(message.cardsV2 === undefined
      ? {}
      : {
          cardsV2: message.cardsV2.map(({ cardId, card }) => ({ cardId, card: { ...card, sections: [note, ...card.sections] } })),
        }),
  };
}
