/** How the fields and buttons of conditions ask for the conditions anew, and what they are called in the page. */

import { pageUrl } from '../shell';

/** What asks for the conditions anew, with and without scripts. */
export function asks(what: string) {
  return {
    name: 'ask',
    value: what,
    formaction: pageUrl('rules', 'form'),
    'hx-post': pageUrl('rules', 'conditions'),
    'hx-target': '#conditions',
    'hx-swap': 'outerHTML',
  };
}

/** A field that changes which others there are. */
export const ON_CHANGE = {
  'hx-post': pageUrl('rules', 'conditions'),
  'hx-trigger': 'change',
  'hx-target': '#conditions',
  'hx-swap': 'outerHTML',
  'hx-sync': 'this:replace',
};

/** The id of a control of the condition at this path. */
export function idOf(what: string, path: string): string {
  return `${what}-${path.replaceAll('.', '-')}`;
}
