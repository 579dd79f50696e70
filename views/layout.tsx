/** The document of every page: head, styles, theme. `framed` pages stand inside Pipedrive and load its SDK and htmx. */

import type { ComponentChildren, VNode } from 'preact';
import { assetUrl } from '../src/platform/asset-files';

/** A frame inside Pipedrive: the theme it was opened with, and the size the page asks for (panels have a fixed width). */
export interface Frame {
  readonly theme: 'light' | 'dark' | null;
  /** At the beginning, and the least; it grows with the page up to the most. */
  readonly heightPx: number;
  readonly maxHeightPx: number;
  readonly widthPx: number | null;
}

/** What a framed page shows that it may ask for more. */
export interface PageCredential {
  readonly token: string;
  readonly expiresAt: Date;
}

interface DocumentProps {
  readonly title: string;
  /** Null for pages that nobody frames. */
  readonly framed: Frame | null;
  readonly credential: PageCredential | null;
  readonly children: ComponentChildren;
}

/**
 * No inline script or style, no history of our own (the address carries Pipedrive's token), and refused forms are shown too. What is
 * exchanged works at once: in a moment between, a click would send a form past htmx, without the page's token.
 */
const HTMX_CONFIG = JSON.stringify({
  allowEval: false,
  allowScriptTags: false,
  includeIndicatorStyles: false,
  historyEnabled: false,
  scrollIntoViewOnBoost: false,
  defaultSettleDelay: 0,
  // Without `style`, which the policy forbids.
  attributesToSettle: ['class', 'width', 'height'],
  timeout: 30_000,
  responseHandling: [
    { code: '204', swap: false },
    { code: '401', swap: false, error: true },
    { code: '[2345]..', swap: true },
  ],
});

const FRAMED_SCRIPTS = ['app-extensions-sdk.js', 'htmx.min.js', 'dealbell.js'] as const;

export function Document({ title, framed, credential, children }: DocumentProps): VNode {
  return (
    <html
      lang="en"
      data-theme={framed?.theme ?? undefined}
      data-height={framed?.heightPx}
      data-max-height={framed?.maxHeightPx}
      data-width={framed?.widthPx ?? undefined}
    >
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" type="image/svg+xml" href={assetUrl('images/dealbell.svg')} />
        <link rel="stylesheet" href={assetUrl('pico.min.css')} />
        <link rel="stylesheet" href={assetUrl('dealbell.css')} />
        {framed !== null && <meta name="htmx-config" content={HTMX_CONFIG} />}
        {credential !== null && (
          <meta name="page-token" content={credential.token} data-expires-at={credential.expiresAt.toISOString()} />
        )}
        {framed !== null && FRAMED_SCRIPTS.map((script) => <script src={assetUrl(script)} defer />)}
      </head>
      <body class={framed === null ? undefined : 'framed'}>{children}</body>
    </html>
  );
}

interface LayoutProps {
  readonly title: string;
  readonly framed?: Frame | null;
  readonly children: ComponentChildren;
}

/** A document with one main part and nothing around it. */
export function Layout({ title, framed = null, children }: LayoutProps): VNode {
  return (
    <Document title={title} framed={framed} credential={null}>
      <main class="alone">{children}</main>
    </Document>
  );
}
