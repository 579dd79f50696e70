/** What waits for a person: what is wrong, what it means, and the one click that mends it. */

import type { VNode } from 'preact';
import { PageForm } from './form';

export interface AttentionView {
  /** Tells it from the others. */
  readonly id: string;
  readonly tone: 'bad' | 'warn';
  readonly title: string;
  readonly text: string;
  readonly mend:
    | { readonly kind: 'button'; readonly action: string; readonly label: string }
    | { readonly kind: 'link'; readonly href: string; readonly label: string }
    /** Leaves the frame: sign-in pages cannot stand in one. */
    | { readonly kind: 'tab'; readonly href: string; readonly label: string };
}

/** Nothing at all when nothing waits. Whoever may not change sees the trouble without its button. */
export function AttentionList({
  items,
  canChange,
}: {
  readonly items: readonly AttentionView[];
  readonly canChange: boolean;
}): VNode | null {
  if (items.length === 0) return null;
  return (
    <section aria-labelledby="attention">
      <h2 id="attention">Needs attention</h2>
      <ul class="attention">
        {items.map((item) => (
          <li class={`attention-${item.tone}`}>
            <div>
              <h3 id={`mend-${item.id}-title`}>{item.title}</h3>
              <p>{item.text}</p>
            </div>
            {canChange && <Mend {...item} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Mend({ id: key, mend }: AttentionView): VNode {
  const id = `mend-${key}`;
  switch (mend.kind) {
    case 'button':
      return (
        <PageForm id={`${id}-form`} action={mend.action} inline>
          <button id={id} aria-describedby={`${id}-title`}>
            {mend.label}
          </button>
        </PageForm>
      );
    case 'link':
      return (
        <a id={id} class="button" href={mend.href} aria-describedby={`${id}-title`}>
          {mend.label}
        </a>
      );
    case 'tab':
      return (
        <a id={id} class="button" href={mend.href} target="_blank" rel="noopener" aria-describedby={`${id}-title`}>
          {mend.label}
        </a>
      );
  }
}
