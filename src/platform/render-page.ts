/** A view to a whole HTML document. */

import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';

/** `page` is a view whose root is `<html>`. */
export function renderPage(page: VNode): string {
  return `<!doctype html>${renderToString(page)}`;
}
