/** The demo's day, near its end: many messages at once, and an evening on which a space wants quiet. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { World } from '../support/world';
import { card } from './compare-cards';
import { BURST, SPACES, type Cast } from './demo-cast';
import { change } from './demo-deals';
import { dealTitled, stageNamed } from './demo-find';
import type { Step } from './demo-stage';

const { wins, team } = SPACES;
const ALL_DAY = { from: '00:00', to: '00:00', mode: 'hold' };
const euros = (amount: number) => `€${amount.toLocaleString('en-GB')}`;
const total = BURST.reduce((sum, { value }) => sum + value, 0);

export function crowdSteps(world: World, { home, destinations }: Cast): readonly Step[] {
  const setQuiet = (quietHours: object | null) => home.changeDestination(destinations.team, { quietHours });
  return [
    bulkEdit(world),
    burst(world),
    {
      title: 'The team has its evening off: two deals move on, nobody is disturbed',
      act: async () => {
        await setQuiet(ALL_DAY);
        for (const title of ['Clinic consumables, first order', 'Meeting room furniture'])
          await change(world, title, { stage_id: stageNamed(world, 'Negotiations started') });
      },
      cards: [],
    },
    {
      title: 'The quiet hours end: one card tells what happened meanwhile',
      isSlow: true,
      act: async () => {
        await setQuiet(null);
        await home.untilNothingIsHeld();
      },
      cards: [card(team, '2 changes in quiet hours · Clinic consumables, first order · Meeting room furniture')],
    },
  ];
}

/** As in Pipedrive's list view: all of them in one operation. */
function bulkEdit(world: World): Step {
  return {
    title: `${BURST.length} deals are moved in one bulk edit: one card counts them, sums them up and shows the largest`,
    isSlow: true,
    act: () => {
      const stage_id = stageNamed(world, 'Negotiations started');
      const options = { companyId: DEMO_COMPANY_ID, bulk: true };
      for (const { title } of BURST) world.pipedrive.updateDeal(dealTitled(world, title), { stage_id }, options);
    },
    cards: [
      {
        space: team,
        says: [
          ...[`${BURST.length} deals moved`, 'One bulk edit', `moved ${BURST.length} deals to Negotiations started`],
          ...[`${euros(total)} in all`, BURST.at(-1)?.title ?? '', `and ${BURST.length - 5} more`],
        ],
      },
    ],
  };
}

function burst(world: World): Step {
  const named = BURST.flatMap(({ title, value }) => [title, `${euros(value)} · Alice Moreau`]);
  return {
    title: `${BURST.length} deals are won in a moment: one card names them all`,
    isSlow: true,
    act: async () => {
      for (const { title } of BURST) await change(world, title, { status: 'won' });
    },
    cards: [{ space: wins, says: [`${BURST.length} deals won`, `${euros(total)} in all`, ...named] }],
  };
}
