/** Keys of the REST API: those there are, one that was just made, and how another is made. */

import type { ComponentChildren, VNode } from 'preact';
import { CopyField, errorAt, PageForm, RefusalBox, TextField, type Refusal } from '../form';
import { pageUrl } from '../shell';

export interface ApiKeyView {
  readonly id: number;
  readonly name: string;
  readonly prefix: string;
  /** "Created on 23 Nov 2026, never used". */
  readonly used: string;
}

export interface ApiKeysView {
  readonly keys: readonly ApiKeyView[];
  /** The text of a key that was just made: never shown again. */
  readonly newKey: { readonly name: string; readonly text: string } | null;
  readonly canAddKey: boolean;
}

/** Everybody sees which keys there are; only admins make and delete them. */
export function ApiKeys({
  view: { keys, newKey, canAddKey },
  isAdmin,
  refusal,
}: {
  readonly view: ApiKeysView;
  readonly isAdmin: boolean;
  readonly refusal: Refusal | null;
}): VNode {
  return (
    <section class="card" aria-labelledby="keys">
      <h2 id="keys">API keys</h2>
      <p class="quiet">
        Programs use them for the <ApiDocs>REST API</ApiDocs>. A key has admin rights.
      </p>
      {newKey !== null && (
        <div class="new-key" role="status" data-read-first="yes">
          <p>
            <strong>Copy the key “{newKey.name}” now: it is not shown again.</strong>
          </p>
          <CopyField id="new-key" label={`API key ${newKey.name}`} value={newKey.text} button="Copy key" />
        </div>
      )}
      {keys.length === 0 && <p class="quiet">There is no key yet.</p>}
      {keys.length > 0 && (
        <ul class="rows">
          {keys.map((key) => (
            <li>
              <strong>{key.name}</strong>
              <code>{key.prefix}…</code>
              <span class="quiet grow">{key.used}</span>
              {isAdmin && <DeleteKey {...key} />}
            </li>
          ))}
        </ul>
      )}
      {isAdmin && canAddKey && (
        <PageForm id="key-form" action={pageUrl('account', 'keys')}>
          <RefusalBox refusal={refusal} labels={{ name: { id: 'key-name', label: 'Key name' } }} />
          <div class="one-line">
            <TextField
              id="key-name"
              label="Key name"
              name="name"
              required
              maxLength={100}
              placeholder="CI, Zapier, …"
              error={errorAt(refusal, 'name')}
            />
            <button id="add-key" class="secondary">
              Create key
            </button>
          </div>
        </PageForm>
      )}
      {isAdmin && !canAddKey && <p class="quiet">Your plan has no room for another key: delete one that is not used.</p>}
    </section>
  );
}

function ApiDocs({ children }: { readonly children: ComponentChildren }): VNode {
  return (
    <a id="api-docs" href="/docs" target="_blank" rel="noopener">
      {children}
    </a>
  );
}

function DeleteKey({ id, name }: ApiKeyView): VNode {
  const question = {
    title: `Delete the key ${name}?`,
    text: 'Whatever uses it can no longer speak to Dealbell, at once.',
    ok: 'Delete key',
  };
  return (
    <PageForm id={`delete-key-form-${id}`} action={pageUrl('account', `keys/${id}/delete`)} question={question} inline>
      <button id={`delete-key-${id}`} class="small danger" aria-label={`Delete key ${name}`}>
        Delete
      </button>
    </PageForm>
  );
}
