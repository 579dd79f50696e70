/** Rules taken out as a document and brought in: an import is tried first, and made only when somebody has seen what it does. */

import { z } from 'zod';
import { ExportRules, ImportReport, ImportRules } from '../../views/settings/rule-document';
import type { Refusal } from '../../views/form';
import { counted } from '../core/counted';
import { listDestinations } from '../delivery/chat-webhook.store';
import { attempt, type Attempt } from './attempt';
import { importAnswer, importReportView, readChoices, type ImportAnswer } from './import-view';
import type { SettingsDeps } from './settings-deps';
import type { PageAnswer, PageRoute, Visit } from './visit';

/** The API takes 2 MB of JSON, which a form writes longer. */
const MAX_BYTES = 6 * 1024 * 1024;

export function ruleDocumentPages(deps: SettingsDeps): PageRoute[] {
  const maxBytes = MAX_BYTES;
  return [
    { method: 'get', path: 'account/export', access: 'see', handle: (visit) => exported(deps, visit) },
    { method: 'get', path: 'account/import', access: 'change', handle: () => Promise.resolve(importPage('', null)) },
    { method: 'post', path: 'account/import', access: 'change', maxBytes, handle: (visit) => tried(deps, visit) },
    { method: 'post', path: 'account/import/confirm', access: 'change', maxBytes, handle: (visit) => confirmed(deps, visit) },
  ];
}

const exportAnswer = z.looseObject({ rules: z.array(z.unknown()) });

async function exported({ callApi, clock }: SettingsDeps, { principal, viewer }: Visit): Promise<PageAnswer> {
  const document = exportAnswer.parse(await callApi(principal, { method: 'get', path: '/rules/export' }));
  const content = ExportRules({
    document: JSON.stringify(document, null, 2),
    fileName: `dealbell-rules-${viewer.tenant.companyDomain}-${clock().toISOString().slice(0, 10)}.json`,
    content: counted(document.rules.length, 'rule'),
  });
  return { kind: 'page', page: 'account', title: 'Export rules', content };
}

function importPage(document: string, refusal: Refusal | null): PageAnswer {
  const content = ImportRules({ document, refusal });
  return { kind: 'page', page: 'account', title: 'Import rules', content, status: refusal === null ? 200 : 422 };
}

async function tried(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const document = visit.form.text('document');
  const outcome = await askImport(deps, visit, document, true);
  if (!outcome.done) return importPage(document, outcome.refusal);
  const spaces = await listDestinations(deps.database.prisma, visit.viewer.tenant.id);
  const content = ImportReport(importReportView(document, outcome.result, spaces, readChoices(visit.form)));
  return { kind: 'page', page: 'account', title: 'Import preview', content };
}

async function confirmed(deps: SettingsDeps, visit: Visit): Promise<PageAnswer> {
  const document = visit.form.text('document');
  const outcome = await askImport(deps, visit, document, false);
  if (!outcome.done) return importPage(document, outcome.refusal);
  const created = outcome.result.rules.filter(({ status }) => status === 'created').length;
  return { ...importPage('', null), message: `${counted(created, 'rule')} imported` };
}

/** What the API refuses within the document stands at the field of the document. */
async function askImport(
  { callApi }: SettingsDeps,
  { principal, form }: Visit,
  text: string,
  dryRun: boolean,
): Promise<Attempt<ImportAnswer>> {
  const document = parsed(text);
  if (document === undefined) return refused('is not JSON: it must be the whole text of an export');
  const body = { document, dryRun, mapping: { destination: readChoices(form) } };
  const outcome = await attempt(() => callApi(principal, { method: 'post', path: '/rules/import', body }));
  if (outcome.done) return { done: true, result: importAnswer.parse(outcome.result) };
  const { message, errors } = outcome.refusal;
  const [first] = errors;
  return first === undefined ? outcome : refused(`${first.path.replace(/^document\.?/, '')} ${first.message}`.trim(), message);
}

function refused(words: string, message = words): { readonly done: false; readonly refusal: Refusal } {
  return { done: false, refusal: { message, errors: [{ path: 'document', message: words }] } };
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
