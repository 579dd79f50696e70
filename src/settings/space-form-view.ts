/** The form of a space's settings, both ways: from a destination (or what was typed) to fields, and from fields to the API's body. Pure. */

import type { Option } from '../../views/form';
import type { SpaceFormView } from '../../views/settings/space-settings';
import { DAYS } from '../core/destination';
import type { TenantProfile } from '../core/tenant';
import type { Destination } from '../delivery/read-destination';
import type { FormValues } from './form-values';
import { languageName } from './space-view';

/** Languages that Pipedrive has, each with where its numbers and dates are written so. */
const LOCALES = [
  ...['en-GB', 'en-US', 'bg-BG', 'cs-CZ', 'da-DK', 'de-DE', 'de-AT', 'de-CH', 'el-GR', 'es-ES', 'es-MX', 'et-EE', 'fi-FI'],
  ...['fr-FR', 'fr-CA', 'hr-HR', 'hu-HU', 'id-ID', 'it-IT', 'ja-JP', 'ko-KR', 'lt-LT', 'lv-LV', 'nb-NO', 'nl-NL', 'pl-PL'],
  ...['pt-BR', 'pt-PT', 'ro-RO', 'ru-RU', 'sk-SK', 'sl-SI', 'sr-RS', 'sv-SE', 'tr-TR', 'uk-UA', 'vi-VN', 'zh-CN', 'zh-TW'],
];

type Given = Pick<SpaceFormView, 'space' | 'rules' | 'watched' | 'canChange' | 'refusal' | 'test'> & {
  readonly tenant: TenantProfile;
  /** Every space of the company. */
  readonly all: readonly Destination[];
};

/** `typed` is what was refused and shall stand again; null: what is saved. */
export function spaceFormView(
  destination: Destination,
  typed: FormValues | null,
  { tenant, all, ...given }: Given,
): SpaceFormView {
  const locale = destination.locale?.replaceAll('_', '-') ?? '';
  return {
    ...given,
    ...(typed === null ? savedFields(destination) : typedFields(typed)),
    otherSpaces: all.filter(({ id }) => id !== destination.id).map(({ id, name }) => ({ value: String(id), label: name })),
    companyTimeZone: tenant.timeZone,
    companyLanguage: languageName(tenant.locale),
    timeZones: Intl.supportedValuesOf('timeZone'),
    locales: localeOptions(locale),
  };
}

/** Every language that can be chosen, and the one that is. */
export function localeOptions(chosen: string): readonly Option[] {
  return [...new Set([...LOCALES, ...(chosen === '' ? [] : [chosen])])]
    .map((value) => ({ value, label: languageName(value) }))
    .sort((a, b) => a.label.localeCompare(b.label, 'en'));
}

type Fields = Pick<
  SpaceFormView,
  'name' | 'threads' | 'fold' | 'foldThreshold' | 'fallback' | 'holdHours' | 'timeZone' | 'locale' | 'quiet'
>;

function savedFields(destination: Destination): Fields {
  const { name, threads, fold, foldThreshold, fallbackWebhookId, holdHours, timeZone, locale, quietHours } = destination;
  const quiet = quietHours ?? { from: '', to: '', mode: 'hold' };
  return {
    name,
    threads: threads === 'perRecord',
    fold: fold === 'auto',
    foldThreshold: foldThreshold === null ? '' : String(foldThreshold),
    fallback: fallbackWebhookId === null ? '' : String(fallbackWebhookId),
    holdHours: String(holdHours),
    timeZone: timeZone ?? '',
    locale: locale?.replaceAll('_', '-') ?? '',
    quiet: {
      ...{ from: quiet.from, to: quiet.to, mode: quiet.mode },
      days: quietHours?.days ?? DAYS,
      businessDays: quietHours?.businessDays ?? DAYS,
    },
  };
}

function typedFields(form: FormValues): Fields {
  return {
    name: form.text('name'),
    threads: form.has('threads'),
    fold: form.has('fold'),
    foldThreshold: form.text('foldThreshold'),
    fallback: form.text('fallback'),
    holdHours: form.text('holdHours'),
    timeZone: form.text('timeZone'),
    locale: form.text('locale'),
    quiet: {
      from: form.text('quietFrom'),
      to: form.text('quietTo'),
      mode: form.text('quietMode'),
      days: form.all('quietDays'),
      businessDays: form.all('businessDays'),
    },
  };
}

/**
 * The body of `PUT /chat-webhooks/:id`; whether it is right, the API says. Who takes the times away wants no quiet hours any more; who
 * chooses days and gives no times is asked for them, because days alone would do nothing.
 */
export function readSpaceForm(form: FormValues, hadQuietHours: boolean): object {
  const [from, to] = [form.text('quietFrom'), form.text('quietTo')];
  const [days, businessDays] = [chosen(form, 'quietDays'), chosen(form, 'businessDays')];
  const isEmpty = from === '' && to === '' && (hadQuietHours || (days === null && businessDays === null));
  const quietHours = { from, to, mode: form.text('quietMode'), ...(days && { days }), ...(businessDays && { businessDays }) };
  return {
    name: form.text('name'),
    threads: form.has('threads') ? 'perRecord' : 'off',
    fold: form.has('fold') ? 'auto' : 'off',
    foldThreshold: form.amount('foldThreshold'),
    fallbackWebhookId: form.amount('fallback'),
    holdHours: form.amount('holdHours'),
    timeZone: form.optional('timeZone'),
    locale: form.optional('locale'),
    quietHours: isEmpty ? null : quietHours,
  };
}

/** Null: all of them, which is what holds when no days are named. */
function chosen(form: FormValues, name: string): readonly string[] | null {
  const days = form.all(name);
  return days.length === DAYS.length ? null : days;
}
