/** Finds the demo's records by the names that its steps use. Each throws when there is none: then the seed and the demo differ. */

import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import type { World } from '../support/world';

export function userNamed(world: World, name: string): number {
  return idOf(companyOf(world).users.live.values(), (user) => user.name === name, name);
}

export function stageNamed(world: World, name: string): number {
  return idOf(companyOf(world).stages.live.values(), (stage) => stage.name === name, name);
}

export function dealTitled(world: World, title: string, companyId = DEMO_COMPANY_ID): number {
  return idOf(companyOf(world, companyId).deals.live.values(), (deal) => deal.title === title, title);
}

export function leadTitled(world: World, title: string): string {
  return idOf(companyOf(world).leads.live.values(), (lead) => lead.title === title, title);
}

/** An organization with its first person, as fields of a deal. */
export function contactOf(world: World, organization: string): { readonly org_id: number; readonly person_id: number } {
  const { organizations, persons } = companyOf(world);
  const org_id = idOf(organizations.live.values(), (known) => known.name === organization, organization);
  return { org_id, person_id: idOf(persons.live.values(), (person) => person.org_id === org_id, organization) };
}

export function spaceNamed({ chat }: World, name: string): string {
  return idOf(chat.spaces(), (space) => space.name === name, name);
}

function companyOf({ pipedrive }: World, companyId = DEMO_COMPANY_ID) {
  return pipedrive.company(companyId);
}

function idOf<R extends { readonly id: number | string }>(rows: Iterable<R>, isIt: (row: R) => boolean, name: string): R['id'] {
  const row = [...rows].find(isIt);
  if (row === undefined) throw new Error(`the demo has no "${name}"`);
  return row.id;
}
