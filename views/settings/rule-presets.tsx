/** The presets: each fills the editor. */

import type { VNode } from 'preact';
import { Back } from '../components';
import { pageUrl } from '../shell';

export interface PresetsView {
  readonly presets: readonly { readonly key: string; readonly name: string; readonly description: string }[];
  readonly canChange: boolean;
}

export function Presets({ presets, canChange }: PresetsView): VNode {
  return (
    <>
      <Back to={pageUrl('rules')} />
      <h1>Presets</h1>
      <p class="quiet">
        Each fills the editor, where you choose the space and change what you like. Nothing is saved until you save.
      </p>
      <ul class="presets">
        {presets.map(({ key, name, description }) => (
          <li class="card">
            <h2>{name}</h2>
            <p>{description}</p>
            {canChange && (
              <a
                id={`preset-${key}`}
                class="button secondary"
                href={`${pageUrl('rules', 'new')}?preset=${key}`}
                aria-label={`Use this: ${name}`}
              >
                Use this
              </a>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
