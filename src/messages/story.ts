/** A story is what a message says, before any layout: raw words only, so that card, notification line and plain text all tell the same. */

import { moneyOf, ownerIdOf, organizationIdOf, idField, textField, titleOf, type RecordState } from '../core/record';
import type { FieldChange, RecordChange } from '../core/transition';
import type { Link, Row } from './cards';
import { oneLine } from './escape';
import type { Format } from './format';
import { recordUrl, type LinkedEntity, type ParentEntity } from './links';
import { nameOf, type Names } from './names';
import { bold, linked, quiet, type Rich, type Tone } from './rich-text';

export interface Story {
  readonly emoji: string;
  /** What happened: "Deal won". */
  readonly headline: string;
  /** The record's title. */
  readonly title: string;
  readonly link: Link;
  /** What a one-line message says after the title, most important first. */
  readonly gist: readonly string[];
  /** The single line of a compact card. */
  readonly summary: Row;
  /** What a detailed card says first; null when the facts say it all. */
  readonly lead: Row | null;
  /** Facts in pairs. */
  readonly facts: readonly Row[];
  /** Facts that can wait behind "Show more". */
  readonly more: readonly Row[];
  /** A longer text. As the news itself (a note) it stands in compact cards too. */
  readonly passage: { readonly text: Rich; readonly isNews: boolean } | null;
}

export interface StoryContext {
  readonly change: RecordChange;
  readonly names: Names;
  readonly format: Format;
  readonly companyDomain: string;
}

export const NO_VALUE = 'No value';
/** Between facts of one line. */
const SEPARATOR = ' · ';

export function lineField(state: RecordState, field: string): string | null {
  const value = textField(state, field);
  return value === null ? null : oneLine(value);
}

/** What people call the record; "Untitled deal" when it has no visible title. */
export function titleIn(context: StoryContext): string {
  const title = titleOf(context.change.state);
  return (title === null ? null : oneLine(title)) ?? `Untitled ${context.change.entity}`;
}

export function valueIn({ change, format }: StoryContext): string | null {
  const money = moneyOf(change.state);
  return money === null ? null : format.money(money);
}

export function ownerIn({ change, names }: StoryContext): string | null {
  return nameOf(names, 'user', ownerIdOf(change.state));
}

export function actorIn({ change, names }: StoryContext): string | null {
  return nameOf(names, 'user', change.actorUserId);
}

export function changeOf({ change }: StoryContext, field: string): FieldChange | null {
  return change.transition.changes.find((candidate) => candidate.field === field) ?? null;
}

/** The facts that are known, in one line; null when none is. */
export function joined(...facts: readonly (string | null)[]): string | null {
  const known = facts.filter((fact) => fact !== null && fact !== '');
  return known.length === 0 ? null : known.join(SEPARATOR);
}

/** A row when its text is known, none otherwise: what is not known is left out. */
export function rowIf(icon: string, label: string, text: string | null): readonly Row[] {
  return text === null ? [] : [{ icon, label, text: [{ text }] }];
}

export function valueText(value: string | null, tone?: Tone): Rich {
  return value === null ? quiet(NO_VALUE) : bold(value, tone);
}

export function valueRow(context: StoryContext, tone?: Tone): Row {
  return { icon: 'payments', label: 'Value', text: valueText(valueIn(context), tone) };
}

export function ownerRows(context: StoryContext): readonly Row[] {
  return rowIf('person', 'Owner', ownerIn(context));
}

/** The organization and the person of a record, each linked to its page. */
export function contactRows(context: StoryContext): readonly Row[] {
  const { state } = context.change;
  return [
    ...linkedRow(context, { icon: 'apartment', label: 'Organization', entity: 'organization', id: organizationIdOf(state) }),
    ...linkedRow(context, { icon: 'contact_mail', label: 'Person', entity: 'person', id: idField(state, 'person_id') }),
  ];
}

interface LinkedFact {
  readonly icon: string;
  readonly label: string;
  readonly entity: ParentEntity;
  readonly id: number | string | null;
}

/** A row that names another record and leads to it; none when the name is not known. */
export function linkedRow(context: StoryContext, fact: LinkedFact): readonly Row[] {
  const name = nameOf(context.names, fact.entity, fact.id);
  if (name === null) return [];
  const url = recordUrl(context.companyDomain, { entity: fact.entity, id: String(fact.id) });
  return [{ icon: fact.icon, label: fact.label, text: linked(name, url) }];
}

/** The button to a record: "Open deal". */
export function linkTo(context: StoryContext, entity: LinkedEntity, id: string): Link {
  const label = entity === 'activity' || entity === 'note' ? 'Open activities' : `Open ${entity}`;
  return { label, url: recordUrl(context.companyDomain, { entity, id }) };
}
