// What an incoming webhook may post to Google Chat, as types: the shape that message-schema.ts has checked.

export interface ChatMessage {
  readonly text?: string;
  readonly cardsV2?: readonly CardWithId[];
  readonly fallbackText?: string;
  readonly thread?: { readonly threadKey: string };
  readonly markupSyntax?: 'MARKUP_SYNTAX_CHAT' | 'MARKUP_SYNTAX_MARKDOWN';
}

export interface CardWithId {
  readonly cardId: string;
  readonly card: Card;
}

export interface Card {
  readonly header?: CardHeader;
  readonly sections: readonly Section[];
  readonly sectionDividerStyle?: 'SOLID_DIVIDER' | 'NO_DIVIDER';
}

export interface CardHeader {
  readonly title: string;
  readonly subtitle?: string;
  readonly imageUrl?: string;
  readonly imageType?: ImageType;
  readonly imageAltText?: string;
}

export interface Section {
  readonly header?: string;
  readonly widgets: readonly Widget[];
  readonly collapsible?: boolean;
  readonly uncollapsibleWidgetsCount?: number;
  readonly collapseControl?: CollapseControl;
}

export interface CollapseControl {
  readonly horizontalAlignment?: Alignment;
  readonly expandButton?: Button;
  readonly collapseButton?: Button;
}

export type Alignment = 'START' | 'CENTER' | 'END';
export type ImageType = 'SQUARE' | 'CIRCLE';

/** Exactly one of the kinds is present; the schema sees to that. */
export interface ColumnWidget {
  readonly textParagraph?: TextParagraph;
  readonly image?: Image;
  readonly decoratedText?: DecoratedText;
  readonly buttonList?: ButtonList;
  readonly chipList?: ChipList;
}

/** Exactly one of the kinds is present; the schema sees to that. */
export interface Widget extends ColumnWidget {
  readonly divider?: Readonly<Record<string, never>>;
  readonly columns?: Columns;
  readonly grid?: Grid;
  readonly horizontalAlignment?: Alignment;
}

export interface TextParagraph {
  readonly text: string;
  readonly maxLines?: number;
  readonly textSyntax?: 'HTML' | 'MARKDOWN';
}

export interface Image {
  readonly imageUrl: string;
  readonly altText?: string;
  readonly onClick?: OnClick;
}

export interface DecoratedText {
  readonly startIcon?: Icon;
  readonly startIconVerticalAlignment?: 'TOP' | 'MIDDLE' | 'BOTTOM';
  readonly topLabel?: string;
  readonly topLabelText?: TextParagraph;
  readonly text?: string;
  readonly contentText?: TextParagraph;
  readonly wrapText?: boolean;
  readonly bottomLabel?: string;
  readonly bottomLabelText?: TextParagraph;
  readonly onClick?: OnClick;
  readonly button?: Button;
  readonly endIcon?: Icon;
}

export interface ButtonList {
  readonly buttons: readonly Button[];
}

export interface Button {
  readonly text?: string;
  readonly icon?: Icon;
  readonly color?: { readonly red?: number; readonly green?: number; readonly blue?: number; readonly alpha?: number };
  readonly type?: 'OUTLINED' | 'FILLED' | 'FILLED_TONAL' | 'BORDERLESS';
  readonly onClick: OnClick;
  readonly disabled?: boolean;
  readonly altText?: string;
}

/** Either a link or a menu of links: a webhook cannot receive clicks. */
export interface OnClick {
  readonly openLink?: { readonly url: string };
  readonly overflowMenu?: { readonly items: readonly OverflowMenuItem[] };
}

export interface OverflowMenuItem {
  readonly startIcon?: Icon;
  readonly text: string;
  readonly onClick: OnClick;
  readonly disabled?: boolean;
}

/** Exactly one of knownIcon, iconUrl and materialIcon is present. */
export interface Icon {
  readonly knownIcon?: string;
  readonly iconUrl?: string;
  readonly materialIcon?: { readonly name: string; readonly fill?: boolean; readonly weight?: number; readonly grade?: number };
  readonly altText?: string;
  readonly imageType?: ImageType;
}

export interface Columns {
  readonly columnItems: readonly Column[];
}

export interface Column {
  readonly horizontalSizeStyle?: 'FILL_AVAILABLE_SPACE' | 'FILL_MINIMUM_SPACE';
  readonly horizontalAlignment?: Alignment;
  readonly verticalAlignment?: 'CENTER' | 'TOP' | 'BOTTOM';
  readonly widgets: readonly ColumnWidget[];
}

export interface Grid {
  readonly title?: string;
  readonly items: readonly GridItem[];
  readonly borderStyle?: BorderStyle;
  readonly columnCount?: number;
  readonly onClick?: OnClick;
}

export interface GridItem {
  readonly id?: string;
  readonly image?: {
    readonly imageUri: string;
    readonly altText?: string;
    readonly cropStyle?: { readonly type?: string; readonly aspectRatio?: number };
    readonly borderStyle?: BorderStyle;
  };
  readonly title?: string;
  readonly subtitle?: string;
  readonly layout?: 'TEXT_BELOW' | 'TEXT_ABOVE';
}

export interface BorderStyle {
  readonly type?: 'NO_BORDER' | 'STROKE';
  readonly strokeColor?: NonNullable<Button['color']>;
  readonly cornerRadius?: number;
}

export interface ChipList {
  readonly layout?: 'WRAPPED' | 'HORIZONTAL_SCROLLABLE';
  readonly chips: readonly Chip[];
}

export interface Chip {
  readonly icon?: Icon;
  readonly label: string;
  readonly onClick?: OnClick;
  readonly disabled?: boolean;
  readonly altText?: string;
}
