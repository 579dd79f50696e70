/** Chooses who tells the story of a change: one teller per family of records. */

import { announcementStory } from './announcement-story';
import { activityStory } from './activity-story';
import { organizationStory, personStory } from './contact-story';
import { dealStory } from './deal-story';
import { leadStory } from './lead-story';
import { noteStory } from './note-story';
import type { Story, StoryContext } from './story';

export function tellStory(context: StoryContext): Story {
  const { announcement, corrects } = context.change.transition;
  const story = storyOfRecord(context);
  if (corrects !== undefined) return asCorrection(story);
  return announcement === undefined ? story : announcementStory(context, story, announcement);
}

function asCorrection(story: Story): Story {
  const { headline } = story;
  return { ...story, emoji: '↩️', headline: `Correction: ${headline.charAt(0).toLowerCase()}${headline.slice(1)}` };
}

function storyOfRecord(context: StoryContext): Story {
  const { entity } = context.change;
  switch (entity) {
    case 'deal':
      return dealStory(context);
    case 'lead':
      return leadStory(context);
    case 'person':
      return personStory(context);
    case 'organization':
      return organizationStory(context);
    case 'activity':
      return activityStory(context);
    case 'note':
      return noteStory(context);
    default:
      return entity satisfies never;
  }
}
