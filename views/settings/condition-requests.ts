/** How the fields and buttons of conditions ask for the conditions anew, and what they are called in the page. */

import { pageUrl } from '../shell';

/** What asks for the conditions anew, with and without scripts; `public/js/conditions.js` sees to it that one asks at a time. */
export function asks(what: string) {
  return {
    name: 'ask',
    value: what,
    formaction: pageUrl('rules', 'form'),
    'hx-post': pageUrl('rules', 'conditions'),
    'hx-target': '#conditions',
    'hx-swap': 'outerHTML',
    'hx-sync': 'this:drop',
  };
}

/** A field that changes which others there are. */
export const ON_CHANGE = {
  'hx-post': pageUrl('rules', 'conditions'),
  'hx-trigger': 'change',
  'hx-target': '#conditions',
  'hx-swap': 'outerHTML',
  'hx-sync': 'this:drop',
};

/** The id of a control of the condition at this path. */
export function idOf(what: string, path: string): string {
  return `${what}-${path.replaceAll('.', '-')}`;
}
