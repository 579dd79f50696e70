/** The presets: each fills the editor. */

import type { VNode } from 'preact';
import { Back } from '../components';
import { pageUrl } from '../shell';

interface PresetView {
  readonly key: string;
  readonly name: string;
  readonly description: string;
}

export interface PresetsView {
  readonly groups: readonly { readonly label: string; readonly presets: readonly PresetView[] }[];
  readonly canChange: boolean;
}

export function Presets({ groups, canChange }: PresetsView): VNode {
  return (
    <>
      <Back to={pageUrl('rules')} />
      <h1>Presets</h1>
      <p class="quiet">
        Each fills the editor, where you choose the space and change what you like. Nothing is saved until you save.
      </p>
      {groups.map(({ label, presets }, at) => (
        <section aria-labelledby={`presets-${at}`}>
          <h2 id={`presets-${at}`}>{label}</h2>
          <ul class="presets">
            {presets.map((preset) => (
              <Preset preset={preset} canChange={canChange} />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function Preset({
  preset: { key, name, description },
  canChange,
}: {
  readonly preset: PresetView;
  readonly canChange: boolean;
}): VNode {
  return (
    <li class="card">
      <h3>{name}</h3>
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
  );
}
