/** What is said of a record that somebody announces by hand: the record as it is, and what they add. */

import type { Announcement } from '../core/transition';
import { oneLine } from './escape';
import type { Story, StoryContext } from './story';

/** `story` is the record's own, as if it were new. */
export function announcementStory({ change }: StoryContext, story: Story, { by, note }: Announcement): Story {
  const said = note === null ? null : oneLine(note);
  return {
    ...story,
    emoji: '📣',
    headline: `${capitalized(change.entity)} announced by ${oneLine(by) ?? 'a colleague'}`,
    gist: [said, ...story.gist].filter((part) => part !== null),
    passage: note === null ? null : { text: [{ text: note }], isNews: true },
  };
}

function capitalized(entity: string): string {
  return entity.charAt(0).toUpperCase() + entity.slice(1);
}
