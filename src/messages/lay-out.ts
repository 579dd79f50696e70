/** Lays a story out as a card: one line with a button (compact), or facts in two columns with the rest folded away (detailed). */

import type { Card, Section } from '../core/chat-message';
import type { TemplateMode } from '../core/rule';
import { card, mainButton, pairWidgets, paragraph, rowWidget, sideButton, type Limits } from './cards';
import { quiet, type Rich } from './rich-text';
import type { Story } from './story';

interface Layout {
  readonly story: Story;
  readonly headline: string;
  /** The text of the rule's own template. */
  readonly ownText: Rich | null;
  readonly mode: TemplateMode;
  readonly isTest: boolean;
  /** When it happened, in words, if the message comes late. */
  readonly happened: string | null;
}

const TEST_NOTE = 'This is a test of Dealbell: nothing new has happened in Pipedrive.';
/** Lines shown before Chat's own "Show more". */
const COMPACT_NOTE_LINES = 3;
const DETAILED_NOTE_LINES = 8;

export function layOut(layout: Layout, limits: Limits): Card {
  const sections = layout.mode === 'compact' ? compactSections(layout, limits) : detailedSections(layout, limits);
  const testSection: readonly Section[] = layout.isTest ? [{ widgets: [paragraph(quiet(TEST_NOTE), limits)] }] : [];
  const lateSection: readonly Section[] =
    layout.happened === null ? [] : [{ widgets: [paragraph(quiet(lateNote(layout.happened)), limits)] }];
  const title = `${layout.story.emoji} ${layout.headline}`;
  return card(title, layout.story.title, [...lateSection, ...sections, ...testSection], limits);
}

/** What a message says that Pipedrive's webhook should have brought long ago. */
export function lateNote(happened: string): string {
  return `Late: happened ${happened}`;
}

function compactSections({ story, ownText }: Layout, limits: Limits): readonly Section[] {
  const news = story.passage?.isNews === true ? [paragraph(story.passage.text, limits, COMPACT_NOTE_LINES)] : [];
  return [{ widgets: [...ownWidgets(ownText, limits), ...news, rowWidget(story.summary, limits, sideButton(story.link))] }];
}

function detailedSections({ story, ownText }: Layout, limits: Limits): readonly Section[] {
  const { lead, passage } = story;
  const news = [
    ...ownWidgets(ownText, limits),
    ...(lead === null ? [] : [rowWidget(lead, limits)]),
    ...(passage === null ? [] : [paragraph(passage.text, limits, DETAILED_NOTE_LINES)]),
  ];
  return [
    ...sectionOf(news),
    ...sectionOf(pairWidgets(story.facts, limits)),
    ...moreSection(story, limits),
    { widgets: [mainButton(story.link)] },
  ];
}

function moreSection({ more }: Story, limits: Limits): readonly Section[] {
  const widgets = pairWidgets(more, limits);
  // One line is not worth a click.
  if (widgets.length < 2) return sectionOf(widgets);
  return [{ header: 'Details', collapsible: true, uncollapsibleWidgetsCount: 0, widgets }];
}

function ownWidgets(ownText: Rich | null, limits: Limits) {
  return ownText === null ? [] : [paragraph(ownText, limits)];
}

/** Google refuses a section without widgets. */
function sectionOf(widgets: Section['widgets']): readonly Section[] {
  return widgets.length === 0 ? [] : [{ widgets }];
}
