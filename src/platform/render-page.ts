/** A view to a whole HTML document. */

import type { VNode } from 'preact';
import { renderToString } from 'preact-render-to-string';

/** `page` is a view whose root is `<html>`. */
export function renderPage(page: VNode): string {
  return `<!doctype html>${renderToString(page)}`;
}

/** A view to a piece of a document, for scripts that asked for it. */
export function renderPart(part: VNode): string {
  return renderToString(part);
}
