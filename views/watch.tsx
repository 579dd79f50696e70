/** Watching a record: where it is watched since when and by whom, and the form that begins it. */

import type { VNode } from 'preact';
import { RecordFields } from './announce';
import { described, errorAt, Field, PageForm, RefusalBox, type Option, type Refusal } from './form';

export interface WatchedPlaceView {
  readonly id: number;
  readonly space: string;
  /** "Ana since 23 Nov 2026". */
  readonly who: string;
}

export interface WatchView {
  readonly entity: string;
  readonly resource: string;
  readonly selectedIds: string;
  readonly places: readonly WatchedPlaceView[];
  /** Spaces in which it is not watched yet; none also when nobody may begin. */
  readonly spaces: readonly Option[];
  readonly canChange: boolean;
  /** "won, lost, moved, a new note": what a watch tells. */
  readonly told: string;
  /** Muting wins: nothing is told meanwhile. */
  readonly rests: boolean;
  readonly space: string;
  readonly refusal: Refusal | null;
}

const LABELS = { chatWebhookId: { id: 'watch-space', label: 'Watch in' } } as const;

/** Nothing at all where nothing is watched and nothing can be begun. */
export function Watching({ view }: { readonly view: WatchView }): VNode | null {
  const { places, spaces, refusal } = view;
  if (places.length === 0 && spaces.length === 0 && refusal === null) return null;
  return (
    <section aria-labelledby="watch-title" class="card">
      <h2 id="watch-title">{places.length === 0 ? 'Watching' : 'Watched'}</h2>
      <RefusalBox refusal={refusal} labels={LABELS} />
      {places.length > 0 && <Places view={view} />}
      {spaces.length > 0 && <Begin view={view} />}
    </section>
  );
}

function Places({ view }: { readonly view: WatchView }): VNode {
  const { places, canChange, rests, entity } = view;
  return (
    <>
      <ul class="plain watches">
        {places.map(({ id, space, who }) => (
          <li>
            <span class="grow">
              <strong>{space}</strong>
              <span class="quiet">by {who}</span>
            </span>
            {canChange && (
              <PageForm id={`unwatch-form-${id}`} action={`/extension/panel/unwatch/${id}`} inline>
                <RecordFields {...view} />
                <button id={`unwatch-${id}`} class="small secondary" aria-label={`Stop watching in ${space}`}>
                  Stop watching
                </button>
              </PageForm>
            )}
          </li>
        ))}
      </ul>
      <p class="quiet">
        {rests
          ? `Paused while this ${entity} is muted.`
          : `Changes to this ${entity} are posted there once, with or without a rule.`}
      </p>
    </>
  );
}

function Begin({ view }: { readonly view: WatchView }): VNode {
  const { spaces, space, refusal, entity, places, told } = view;
  const { id, label } = LABELS.chatWebhookId;
  const error = errorAt(refusal, 'chatWebhookId');
  const hint = places.length > 0 ? undefined : `Posts what happens to this ${entity} there, even without a rule: ${told}.`;
  return (
    <PageForm id="watch-form" action="/extension/panel/watch">
      <RecordFields {...view} />
      <Field id={id} label={label} hint={hint} error={error}>
        <div class="pick-line">
          <select id={id} name="space" {...described({ id, hint, error })}>
            {spaces.map((option) => (
              <option value={option.value} selected={option.value === space}>
                {option.label}
              </option>
            ))}
          </select>
          <button id="watch" class="secondary">
            Watch this {entity}
          </button>
        </div>
      </Field>
    </PageForm>
  );
}
