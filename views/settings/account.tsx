/** The company's plan and what it uses of it. */

import type { VNode } from 'preact';

export interface AccountView {
  readonly companyName: string;
  readonly plan: string;
  readonly usage: readonly { readonly label: string; readonly value: string }[];
}

export function Account({ companyName, plan, usage }: AccountView): VNode {
  return (
    <>
      <div class="page-head">
        <h1>Account</h1>
        <p class="quiet">
          {companyName} · {plan}
        </p>
      </div>
      <section class="card" aria-labelledby="usage">
        <h2 id="usage">Usage</h2>
        <dl class="figures">
          {usage.map(({ label, value }) => (
            <div>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
    </>
  );
}
