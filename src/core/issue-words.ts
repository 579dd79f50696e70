/** What is said of a value that does not fit, where its schema has no words of its own: sentences that stand after the field's name. Pure. */

import type { z } from 'zod';

const KINDS: Readonly<Record<string, string>> = {
  ...{ string: 'a text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list', tuple: 'a list' },
  ...{ object: 'an object', record: 'an object', date: 'a date', null: 'null' },
};

/** For `safeParse(value, { error: wordIssue })`; undefined leaves the words to zod. */
export function wordIssue(issue: z.core.$ZodRawIssue): string | undefined {
  const isMissing = issue.input === undefined;
  switch (issue.code) {
    case 'invalid_type':
      return isMissing ? 'is required' : `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return isMissing ? 'is required' : oneOf(issue.values);
    case 'too_small':
      return bound(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least');
    case 'too_big':
      return bound(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most');
    case 'invalid_union':
      return isMissing ? 'is required' : 'has a form that is not accepted here';
    default:
      return undefined;
  }
}

function oneOf(values: readonly unknown[]): string {
  const words = values.map(String);
  return words.length === 1 ? `must be ${words.join('')}` : `must be one of ${words.join(', ')}`;
}

function bound(origin: string, limit: number | bigint, relation: string): string {
  if (origin === 'string') return `must have ${relation} ${limit} characters`;
  if (origin === 'array') return `must have ${relation} ${limit} ${Number(limit) === 1 ? 'entry' : 'entries'}`;
  return `must be ${relation} ${limit}`;
}
