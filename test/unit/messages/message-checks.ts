/** What every message must hold: the strict schema, Chat's size, and no value that Chat could take for markup. */
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import type { ChatMessage } from '../../../src/core/chat-message';
import { checkMessage } from '../../fakes/google-chat/validate-message';
import { sharedDataPath } from '../../support/shared-data';

const schemaPath = sharedDataPath('google-chat/webhook-message.schema.json');
const googleSchema: unknown = schemaPath === null ? true : JSON.parse(readFileSync(schemaPath, 'utf8'));
const fitsGoogleSchema = new Ajv({ allErrors: true, strict: false }).compile(
  typeof googleSchema === 'object' && googleSchema !== null ? googleSchema : {},
);

/** Every fault of a message, in words; empty when it may be sent. */
export function faultsOf(message: ChatMessage): readonly string[] {
  const json = JSON.stringify(message);
  const bytes = Buffer.byteLength(json);
  const check = checkMessage(JSON.parse(json), bytes);
  const strings = stringsIn(message);
  return [
    ...(bytes < 30_000 ? [] : [`${String(bytes)} bytes`]),
    ...(check.kind === 'valid' ? [] : [`${check.field}: ${check.because}`]),
    ...(fitsGoogleSchema(JSON.parse(json))
      ? []
      : (fitsGoogleSchema.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ''}`)),
    ...strings
      .filter((text) => /<users\/|<https?:|<[a-z]+:\/\//i.test(text))
      .map((text) => `markup of Chat in: ${text.slice(0, 80)}`),
    ...(message.fallbackText === '' || /[<>\n]/.test(message.fallbackText) ? [`fallbackText: ${message.fallbackText}`] : []),
    ...strings.filter((text) => text.trim() === '').map(() => 'an empty field'),
  ];
}

/** Every string of a JSON value, at any depth. */
export function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}

/** What a reader sees: all strings of the message in one, entities and tags resolved. */
export function visibleText(message: ChatMessage): string {
  return stringsIn(message)
    .map((text) => text.replaceAll('<br>', '\n').replace(/<[^>]*>/g, ''))
    .map((text) =>
      text
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&quot;', '"')
        .replaceAll('&#39;', "'")
        .replaceAll('&amp;', '&'),
    )
    .join('\n')
    .replace(/[\u00A0\u202F]/g, ' ');
}
