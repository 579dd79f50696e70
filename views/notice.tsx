/** A short page that says one thing: an error, or what to do next. */

import type { VNode } from 'preact';
import { assetUrl } from '../src/platform/asset-files';
import { Layout, type Frame } from './layout';

export interface NoticeView {
  readonly title: string;
  readonly lines: readonly string[];
  /** From a frame it opens in a new tab: sign-in pages cannot stand in a frame. */
  readonly link: { readonly href: string; readonly label: string } | null;
  readonly frame?: Frame | null;
  /** Offers to open the frame again with a fresh token of Pipedrive's. */
  readonly canReopen?: boolean;
}

export function noticePage({ title, lines, link, frame = null, canReopen = false }: NoticeView): VNode {
  return (
    <Layout title={`${title} - Dealbell`} framed={frame}>
      {frame === null && (
        <p class="brand">
          <img src={assetUrl('images/dealbell.svg')} width={28} height={28} alt="" /> Dealbell
        </p>
      )}
      <section class="notice">
        <h1>{title}</h1>
        {lines.map((line) => (
          <p>{line}</p>
        ))}
        {canReopen && (
          <p>
            <button type="button" data-reopen hidden>
              Reopen it here
            </button>
          </p>
        )}
        {link !== null && (
          <p>
            <a href={link.href} {...(frame === null ? {} : { target: '_blank', rel: 'noopener' })} class="action">
              {link.label}
            </a>
          </p>
        )}
      </section>
    </Layout>
  );
}

/** The same in one line, on a page that is open. */
export function troubleText(words: string): VNode {
  return <p>{words}</p>;
}

/** What stands in place of all pages when the company is no longer there. */
export function Farewell({ title, lines, link }: Pick<NoticeView, 'title' | 'lines'> & { readonly link: Link }): VNode {
  return (
    <div id="app">
      <main id="page" class="alone">
        <section class="notice">
          <h1>{title}</h1>
          {lines.map((line) => (
            <p>{line}</p>
          ))}
          <p>
            <a href={link.href} target="_blank" rel="noopener" class="action">
              {link.label}
            </a>
          </p>
        </section>
      </main>
    </div>
  );
}

interface Link {
  readonly href: string;
  readonly label: string;
}
