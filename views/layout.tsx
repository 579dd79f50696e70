/** The frame of every page: head, styles, theme. `framed` pages stand inside Pipedrive and load its SDK. */

import type { ComponentChildren, VNode } from 'preact';

/** A frame inside Pipedrive: the theme it was opened with, and the size the page asks for (panels have a fixed width). */
export interface Frame {
  readonly theme: 'light' | 'dark' | null;
  readonly heightPx: number;
  readonly widthPx: number | null;
}

interface LayoutProps {
  readonly title: string;
  /** Null for pages that nobody frames. */
  readonly framed?: Frame | null;
  readonly children: ComponentChildren;
}

export function Layout({ title, framed = null, children }: LayoutProps): VNode {
  return (
    <html
      lang="en"
      data-theme={framed?.theme ?? undefined}
      data-height={framed?.heightPx}
      data-width={framed?.widthPx ?? undefined}
    >
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" type="image/svg+xml" href="/assets/images/dealbell.svg" />
        <link rel="stylesheet" href="/assets/pico.min.css" />
        <link rel="stylesheet" href="/assets/css/dealbell.css" />
        {framed !== null && <script src="/assets/app-extensions-sdk.js" defer />}
        {framed !== null && <script src="/assets/js/extension.js" defer />}
      </head>
      <body class={framed === null ? undefined : 'framed'}>
        <main class="container-fluid">{children}</main>
      </body>
    </html>
  );
}
