/** Reads a Chat message out of an answer of the API, where it is JSON like anybody's. */

import { z } from 'zod';
import type { Button, ChatMessage, DecoratedText, Icon, Widget } from '../core/chat-message';

const text = z.string();
const icon: z.ZodType<Icon> = z.object({
  materialIcon: z.object({ name: text, fill: z.boolean().exactOptional() }),
  altText: text.exactOptional(),
});
const button: z.ZodType<Button> = z.object({
  text,
  icon: icon.exactOptional(),
  type: z.enum(['OUTLINED', 'FILLED', 'FILLED_TONAL', 'BORDERLESS']).exactOptional(),
  onClick: z.object({ openLink: z.object({ url: text }) }),
  altText: text.exactOptional(),
});
const decoratedText: z.ZodType<DecoratedText> = z.object({
  startIcon: icon.exactOptional(),
  topLabel: text.exactOptional(),
  text,
  wrapText: z.boolean().exactOptional(),
  bottomLabel: text.exactOptional(),
  button: button.exactOptional(),
});
const widget: z.ZodType<Widget> = z.lazy(() =>
  z.union([
    z.object({ textParagraph: z.object({ text, maxLines: z.number().exactOptional() }) }),
    z.object({ decoratedText }),
    z.object({ buttonList: z.object({ buttons: z.array(button) }) }),
    z.object({ columns: z.object({ columnItems: z.array(z.object({ widgets: z.array(widget) })) }) }),
    z.object({ divider: z.object({}) }),
  ]),
);

/** What `GET` and `POST` answers call `message`. */
export const chatMessageSchema: z.ZodType<ChatMessage> = z.object({
  text: text.exactOptional(),
  cardsV2: z
    .array(
      z.object({
        cardId: text,
        card: z.object({
          header: z.object({ title: text, subtitle: text.exactOptional() }),
          sections: z.array(
            z.object({
              header: text.exactOptional(),
              widgets: z.array(widget),
              collapsible: z.boolean().exactOptional(),
              uncollapsibleWidgetsCount: z.number().exactOptional(),
            }),
          ),
        }),
      }),
    )
    .exactOptional(),
  fallbackText: text,
});
