/** The API's description for people. */

import type { VNode } from 'preact';
import { Layout } from './layout';

export interface OperationView {
  readonly request: string;
  readonly summary: string;
  readonly who: string;
  readonly success: string;
  readonly query: readonly string[];
  /** JSON Schema, indented; null without a body. */
  readonly body: string | null;
}

export interface DocsView {
  readonly topics: readonly { readonly heading: string; readonly operations: readonly OperationView[] }[];
}

export function docsPage({ topics }: DocsView): VNode {
  return (
    <Layout title="Dealbell API">
      <h1>Dealbell API</h1>
      <p>
        JSON over HTTP. Send <code>Authorization: Bearer</code> with an API key. Errors are <code>application/problem+json</code>;
        lists are <code>{'{items, nextCursor}'}</code>, and <code>cursor</code> takes the next page. For programs:{' '}
        <a href="/openapi.json">openapi.json</a>.
      </p>
      {topics.map(({ heading, operations }) => (
        <section>
          <h2>{heading}</h2>
          {operations.map((operation) => (
            <Operation {...operation} />
          ))}
        </section>
      ))}
    </Layout>
  );
}

function Operation({ request, summary, who, success, query, body }: OperationView): VNode {
  return (
    <>
      <h3>
        <code>{request}</code>
      </h3>
      <p>
        {summary}.{' '}
        <span class="quiet">
          For {who}; answers {success}.
        </span>
      </p>
      {query.length > 0 && (
        <p class="quiet">
          Query: <code>{query.join(', ')}</code>
        </p>
      )}
      {body !== null && (
        <details>
          <summary>Body</summary>
          <pre tabIndex={0}>
            <code>{body}</code>
          </pre>
        </details>
      )}
    </>
  );
}
