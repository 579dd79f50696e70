/** What a rule's own text may name: `{{ record.title }}`, `{{ owner }}`, ... Unknown things are empty, never ids. */

import { idField, organizationIdOf, type RecordState } from '../core/record';
import { fieldWords } from './field-words';
import { nameOf } from './names';
import { actorIn, lineField, ownerIn, valueIn, type Story, type StoryContext } from './story';
import type { TemplateVariables } from './text-template';

export function variablesOf(context: StoryContext, story: Story): TemplateVariables {
  const { change, names, format } = context;
  const { state, transition } = change;
  const [first] = transition.changes;
  return {
    event: { type: transition.type, name: story.headline, time: format.dateTime(change.occurredAt) },
    record: {
      title: story.title,
      value: valueIn(context),
      url: story.link.url,
      type: change.entity,
      status: statusOf(state),
      closeDate: format.date(state['expected_close_date']),
      lostReason: lineField(state, 'lost_reason'),
    },
    owner: ownerIn(context),
    stage: nameOf(names, 'stage', idField(state, 'stage_id')),
    pipeline: nameOf(names, 'pipeline', idField(state, 'pipeline_id')),
    person: nameOf(names, 'person', idField(state, 'person_id')),
    organization: nameOf(names, 'organization', organizationIdOf(state)),
    actor: actorIn(context),
    from: first === undefined ? null : fieldWords(context, first.field, first.from),
    to: first === undefined ? null : fieldWords(context, first.field, first.to),
  };
}

function statusOf(state: RecordState): string | null {
  return lineField(state, 'status');
}
