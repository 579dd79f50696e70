/** The part of Google Chat's Message that an incoming webhook may post and that Dealbell uses. */

export interface ChatMessage {
  readonly text?: string;
  readonly markupSyntax?: 'MARKUP_SYNTAX_CHAT';
  readonly cardsV2?: readonly { readonly cardId: string; readonly card: Card }[];
  /** What a phone's notification and a screen reader say. */
  readonly fallbackText: string;
  readonly thread?: { readonly threadKey: string };
}

export interface Card {
  readonly header: CardHeader;
  readonly sections: readonly Section[];
}

export interface CardHeader {
  readonly title: string;
  readonly subtitle?: string;
}

export interface Section {
  /** Simple HTML. */
  readonly header?: string;
  readonly widgets: readonly Widget[];
  readonly collapsible?: boolean;
  readonly uncollapsibleWidgetsCount?: number;
}

export type Widget =
  | { readonly textParagraph: { readonly text: string; readonly maxLines?: number } }
  | { readonly decoratedText: DecoratedText }
  | { readonly buttonList: { readonly buttons: readonly Button[] } }
  | { readonly columns: { readonly columnItems: readonly Column[] } }
  | { readonly divider: Readonly<Record<string, never>> };

export interface Column {
  readonly horizontalSizeStyle?: 'FILL_AVAILABLE_SPACE' | 'FILL_MINIMUM_SPACE';
  readonly widgets: readonly Widget[];
}

export interface DecoratedText {
  readonly startIcon?: Icon;
  readonly topLabel?: string;
  /** Simple HTML, never empty. */
  readonly text: string;
  readonly wrapText?: boolean;
  readonly bottomLabel?: string;
  readonly button?: Button;
}

export interface Icon {
  readonly materialIcon: { readonly name: string; readonly fill?: boolean };
  readonly altText?: string;
}

export interface Button {
  readonly text: string;
  readonly icon?: Icon;
  readonly type?: 'OUTLINED' | 'FILLED' | 'FILLED_TONAL' | 'BORDERLESS';
  /** Absolute https only: one relative URL makes the whole card vanish with HTTP 200 (grafana/grafana#47305). */
  readonly onClick: { readonly openLink: { readonly url: string } };
  readonly altText?: string;
}
