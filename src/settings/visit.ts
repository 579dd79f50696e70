/** One request of a page inside Pipedrive: who asks, what was filled in, and what the page answers. */

import type { VNode } from 'preact';
import type { PageKey } from '../../views/shell';
import type { Principal } from '../api/endpoint';
import type { AttentionItem } from './attention';
import type { FormValues } from './form-values';
import type { Viewer } from './viewer.store';

export interface Visit {
  readonly viewer: Viewer;
  /** The viewer as the API knows callers. */
  readonly principal: Principal;
  /** `:id` of the path; 0 where it has none. */
  readonly id: number;
  /** What was filled in; for GET the query. */
  readonly form: FormValues;
  /** What waits for a person, as it is when it is first asked for: after the change that the visit makes. */
  readonly attention: () => Promise<readonly AttentionItem[]>;
  /** Aborted when the browser leaves before it has its answer. */
  readonly signal: AbortSignal;
}

/** A whole page of the settings. */
export interface PageAnswer {
  readonly kind: 'page';
  readonly page: PageKey;
  /** For the tab and for screen readers: "Add a space". The page's `h1` is its own. */
  readonly title: string;
  readonly content: VNode;
  /** What went well, said once. */
  readonly message?: string;
  /** 422: a form that was refused, shown again. */
  readonly status?: 200 | 422;
}

/** A part of a page that asks for itself (`hx-get`, `hx-post` with a target of its own): a preview, the next rows of a list. */
export interface PartAnswer {
  readonly kind: 'part';
  readonly content: VNode;
}

/** There is nothing new: what asked stays as it is. */
export interface NothingAnswer {
  readonly kind: 'nothing';
}

/** The last page: of a company that is no longer there. */
export interface FarewellAnswer {
  readonly kind: 'farewell';
  readonly title: string;
  readonly lines: readonly string[];
  readonly link: { readonly href: string; readonly label: string };
}

/** A page or part of the settings. */
export interface PageRoute {
  readonly method: 'get' | 'post';
  /** Below `/extension/settings/`: `spaces/:id`; `:id` is the only parameter. */
  readonly path: string;
  /** `see`: everybody of the company; `change`: admins. */
  readonly access: 'see' | 'change';
  readonly handle: (visit: Visit) => Promise<PageAnswer | PartAnswer | NothingAnswer | FarewellAnswer>;
  /** The largest form in bytes, where it is not the usual one. */
  readonly maxBytes?: number;
}
