/** The rules of the company. */

import type { VNode } from 'preact';
import { Badge } from '../components';

export interface RulesView {
  readonly rules: readonly {
    readonly id: number;
    readonly name: string;
    readonly listensTo: string;
    readonly targets: string;
    readonly isOn: boolean;
  }[];
}

export function Rules({ rules }: RulesView): VNode {
  return (
    <>
      <div class="page-head">
        <h1>Rules</h1>
      </div>
      {rules.length === 0 ? (
        <p class="quiet">There is no rule yet, so nothing is announced.</p>
      ) : (
        <section class="card">
          <ul class="rows">
            {rules.map(({ name, listensTo, targets, isOn }) => (
              <li>
                <strong>{name}</strong> <Badge text={isOn ? 'On' : 'Off'} tone={isOn ? 'good' : 'neutral'} />
                <span class="quiet grow">
                  {listensTo} → {targets}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
