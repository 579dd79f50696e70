/** The Google Chat spaces that Dealbell posts to: how each is, and what can be done with it. */

import type { VNode } from 'preact';
import { Badge, type Tone } from '../components';
import { PageForm, RefusalBox, type Refusal } from '../form';
import { pageUrl } from '../shell';

export interface SpaceView {
  readonly id: number;
  readonly name: string;
  /** Google's id of it. */
  readonly spaceId: string;
  /** "Working", "Broken". */
  readonly state: string;
  readonly tone: Tone;
  readonly reason: string;
  /** The reason without what Google Chat says, where that is told beside it. */
  readonly brief: string;
  readonly isPaused: boolean;
  readonly canReplaceUrl: boolean;
  /** "2 rules post here". */
  readonly rules: string;
  /** What is set otherwise than usual, in words. */
  readonly settings: readonly string[];
}

export interface SpacesView {
  readonly spaces: readonly SpaceView[];
  /** "3 of 10 spaces". */
  readonly usage: string;
  readonly isFull: boolean;
  readonly canChange: boolean;
  readonly refusal: Refusal | null;
}

export function Spaces({ spaces, usage, isFull, canChange, refusal }: SpacesView): VNode {
  return (
    <>
      <div class="page-head">
        <h1>Spaces</h1>
        <p class="quiet">{usage}</p>
        {canChange && !isFull && spaces.length > 0 && <AddSpace />}
      </div>
      <RefusalBox refusal={refusal} />
      {isFull && canChange && (
        <p class="notice-box">
          Your plan has no room for another space. <a href={pageUrl('account')}>See your plan</a>, or delete a space that you no
          longer need.
        </p>
      )}
      {spaces.length === 0 ? <NoSpace canChange={canChange} /> : <SpaceList spaces={spaces} canChange={canChange} />}
    </>
  );
}

/** A button for what it does; a form, so that it is one without scripts too. */
function AddSpace(): VNode {
  return (
    <form method="get" action={pageUrl('spaces', 'new')} class="inline">
      <button id="add-space">Add space</button>
    </form>
  );
}

function NoSpace({ canChange }: { readonly canChange: boolean }): VNode {
  return (
    <section class="empty">
      <h2>No space is connected yet</h2>
      <p>
        Dealbell posts to a Google Chat space through its webhook. You create one in Google Chat in half a minute; we show you
        how.
      </p>
      {canChange && <AddSpace />}
    </section>
  );
}

function SpaceList({ spaces, canChange }: { readonly spaces: readonly SpaceView[]; readonly canChange: boolean }): VNode {
  return (
    <ul class="cards">
      {spaces.map((space) => (
        <li class="card space">
          <div class="space-head">
            <h2>{space.name}</h2>
            <Badge text={space.state} tone={space.tone} />
          </div>
          <p class={space.tone === 'bad' ? 'problem' : undefined}>{space.reason}</p>
          <p class="quiet">{[space.rules, ...space.settings].join(' · ')}</p>
          {canChange && <Actions {...space} />}
        </li>
      ))}
    </ul>
  );
}

function Actions({ id, name, isPaused, canReplaceUrl }: SpaceView): VNode {
  return (
    <div class="actions">
      {canReplaceUrl && (
        <a id={`url-${id}`} class="button" href={pageUrl('spaces', `${id}/url`)} aria-label={`Replace URL of ${name}`}>
          Replace URL
        </a>
      )}
      <PageForm id={`test-form-${id}`} action={pageUrl('spaces', `${id}/test`)} inline>
        <button id={`test-${id}`} class="secondary" aria-label={`Send test card to ${name}`}>
          Send test card
        </button>
      </PageForm>
      <PageForm id={`pause-form-${id}`} action={pageUrl('spaces', `${id}/pause`)} inline>
        <input type="hidden" name="paused" value={isPaused ? 'no' : 'yes'} />
        <button id={`pause-${id}`} class="secondary" aria-label={`${isPaused ? 'Resume' : 'Pause'} ${name}`}>
          {isPaused ? 'Resume' : 'Pause'}
        </button>
      </PageForm>
      <a id={`edit-${id}`} class="button secondary" href={pageUrl('spaces', id)} aria-label={`Settings of ${name}`}>
        Settings
      </a>
    </div>
  );
}
