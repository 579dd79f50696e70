/** What an import of rules would do, in words, and the choices that a person has. Pure. */

import { z } from 'zod';
import type { ImportReportView, MappingView } from '../../views/settings/rule-document';
import type { Option } from '../../views/form';
import { counted } from '../core/counted';
import type { Destination } from '../delivery/read-destination';
import type { FormValues } from './form-values';
import { capitalized } from './words';

/** What `POST /rules/import` answers. */
export const importAnswer = z.object({
  references: z.array(
    z.object({
      kind: z.string(),
      id: z.coerce.string(),
      name: z.string().nullable(),
      resolution: z.enum(['sameId', 'byName', 'bySpace', 'mapped', 'missing']),
      target: z.object({ id: z.coerce.string(), name: z.string().nullable() }).nullable(),
      reason: z.string().nullable(),
    }),
  ),
  rules: z.array(
    z.object({
      name: z.string(),
      status: z.enum(['created', 'skipped', 'rejected']),
      enabled: z.boolean().nullable(),
      reason: z.string().nullable(),
    }),
  ),
});
export type ImportAnswer = z.infer<typeof importAnswer>;

const SPACE_FIELD = 'space-';

/** Which space stands for which of the document, as it was chosen in the form. */
export function readChoices(form: FormValues): Readonly<Record<string, string>> {
  const chosen = form.names().filter((name) => name.startsWith(SPACE_FIELD) && form.text(name) !== '');
  return Object.fromEntries(chosen.map((name) => [name.slice(SPACE_FIELD.length), form.text(name)]));
}

export function importReportView(
  document: string,
  answer: ImportAnswer,
  spaces: readonly Destination[],
  choices: Readonly<Record<string, string>>,
): ImportReportView {
  const created = answer.rules.filter(({ status }) => status === 'created');
  const rejected = answer.rules.filter(({ status }) => status === 'rejected');
  return {
    document,
    summary: summaryOf(created, rejected.length, answer.rules.length),
    rules: answer.rules.map(ruleView),
    mappings: answer.references.map((reference) => mappingView(reference, spaces, choices)),
    canImport: created.length > 0 && rejected.length === 0,
    button: `Import ${counted(created.length, 'rule')}`,
  };
}

type Rule = ImportAnswer['rules'][number];

function summaryOf(created: readonly Rule[], rejected: number, all: number): string {
  if (rejected > 0)
    return `${counted(rejected, 'rule')} of ${all} cannot be created here, and an import creates all rules or none. Nothing is imported until the document is fixed.`;
  if (created.length === 0) return 'There is nothing to import: every rule of the document exists already.';
  const off = created.filter(({ enabled }) => enabled === false).length;
  const state = off === 0 ? '' : off === created.length ? ', switched off' : `, ${off} of them switched off`;
  return `${counted(created.length, 'rule')} would be created${state}. Nothing has changed yet.`;
}

function ruleView({ name, status, enabled, reason }: Rule): ImportReportView['rules'][number] {
  switch (status) {
    case 'created':
      return { name, reason, state: enabled === true ? 'new, on' : 'new, off', tone: reason === null ? 'good' : 'warn' };
    case 'skipped':
      return { name, reason, state: 'skipped', tone: 'neutral' };
    case 'rejected':
      return { name, reason, state: 'cannot be created', tone: 'bad' };
  }
}

const KINDS: Readonly<Record<string, string>> = {
  destination: 'space',
  leadLabel: 'lead label',
  activityType: 'activity type',
  user: 'owner',
};

function mappingView(
  { kind, id, name, resolution, target, reason }: ImportAnswer['references'][number],
  spaces: readonly Destination[],
  choices: Readonly<Record<string, string>>,
): MappingView {
  const wanted = `${capitalized(KINDS[kind] ?? kind)} ${name ?? 'without a name'}`;
  const options: readonly Option[] = [
    { value: '', label: 'None' },
    ...spaces.map((space) => ({ value: String(space.id), label: space.name })),
  ];
  const isChosen = kind === 'destination' && (resolution === 'missing' || resolution === 'mapped') && spaces.length > 0;
  const choice = isChosen ? { name: `${SPACE_FIELD}${id}`, value: choices[id] ?? '', options } : null;
  if (resolution === 'missing') return { wanted, state: 'not found', tone: 'warn', reason: reason ?? '', choice };
  return { wanted, state: 'found', tone: 'good', reason: foundWords(resolution, target?.name ?? null), choice };
}

function foundWords(resolution: 'sameId' | 'byName' | 'bySpace' | 'mapped', name: string | null): string {
  const here = name ?? 'the same one';
  const how = { sameId: 'exact match', byName: 'by its name', bySpace: 'by its Google space', mapped: 'as you chose' };
  return `${here}, ${how[resolution]}`;
}
