/** Small typed builders of card widgets: every one escapes and shortens what it is given, and none makes an empty field. */

import type { Button, Card, Column, DecoratedText, Section, Widget } from '../core/chat-message';
import { cut, plain } from './escape';
import { htmlOf, lineOf, plainOf, words, type Rich } from './rich-text';

/** Longest visible length per field, in graphemes. Google documents none; these read well on a phone. */
export interface Limits {
  readonly title: number;
  readonly subtitle: number;
  readonly label: number;
  readonly text: number;
  readonly paragraph: number;
}

export const FULL_LIMITS: Limits = { title: 120, subtitle: 160, label: 60, text: 400, paragraph: 1_500 };

/** One line of a card: an icon, a small label above, the text and a small line below. */
export interface Row {
  /** Name of a Material icon. */
  readonly icon: string;
  readonly label?: string | null;
  readonly text: Rich;
  readonly below?: string | null;
}

export interface Link {
  readonly label: string;
  readonly url: string;
}

export function card(title: string, subtitle: string, sections: readonly Section[], limits: Limits): Card {
  return { header: { title: plain(cut(title, limits.title)), subtitle: plain(cut(subtitle, limits.subtitle)) }, sections };
}

export function rowWidget(row: Row, limits: Limits, button?: Button): Widget {
  return { decoratedText: decoratedText(row, limits, button) };
}

/** A line of a list: what it is about, and quietly below what is known of it. */
export function listWidget(text: Rich, below: string | null, limits: Limits): Widget {
  return {
    decoratedText: {
      text: htmlOf(filled(text), limits.text),
      wrapText: true,
      ...(below !== null && { bottomLabel: lineOf(words(below), limits.text) }),
    },
  };
}

/** Rows two by two, left to right; on a narrow screen the second of a pair goes below the first. */
export function pairWidgets(rows: readonly Row[], limits: Limits): readonly Widget[] {
  const pairs = Array.from({ length: Math.ceil(rows.length / 2) }, (_, index) => rows.slice(index * 2, index * 2 + 2));
  return pairs.map((pair) => {
    const [only] = pair;
    if (pair.length === 1 && only) return rowWidget(only, limits);
    return { columns: { columnItems: pair.map((row) => column(row, limits)) } };
  });
}

export function paragraph(text: Rich, limits: Limits, maxLines?: number): Widget {
  return { textParagraph: { text: htmlOf(filled(text), limits.paragraph), ...(maxLines !== undefined && { maxLines }) } };
}

/** A quiet button beside a line. */
export function sideButton(link: Link): Button {
  return { text: link.label, type: 'BORDERLESS', onClick: { openLink: { url: link.url } } };
}

/** The card's one main button. */
export function mainButton(link: Link): Widget {
  const icon = { materialIcon: { name: 'open_in_new' } };
  return {
    buttonList: { buttons: [{ text: link.label, icon, type: 'FILLED_TONAL', onClick: { openLink: { url: link.url } } }] },
  };
}

function column(row: Row, limits: Limits): Column {
  return { horizontalSizeStyle: 'FILL_AVAILABLE_SPACE', widgets: [rowWidget(row, limits)] };
}

function decoratedText(row: Row, limits: Limits, button?: Button): DecoratedText {
  return {
    startIcon: { materialIcon: { name: row.icon } },
    ...(row.label && { topLabel: lineOf(words(row.label), limits.label) }),
    text: htmlOf(filled(row.text), limits.text),
    wrapText: true,
    ...(row.below && { bottomLabel: lineOf(words(row.below), limits.text) }),
    ...(button && { button }),
  };
}

/** Google refuses an empty text (grafana/alerting). */
function filled(text: Rich): Rich {
  return plainOf(text).trim() === '' ? words('–') : text;
}
