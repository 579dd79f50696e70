/** The settings page inside Pipedrive: destinations, rules, plan, and what happened lately. */

import type { VNode } from 'preact';
import { Badge, EventList, type EventView } from './components';
import { Layout, type Frame } from './layout';

export interface SettingsView {
  readonly frame: Frame;
  readonly companyName: string;
  /** "Enterprise trial until 7 Dec 2026". */
  readonly plan: string;
  readonly usage: readonly { readonly label: string; readonly value: string }[];
  readonly destinations: readonly {
    readonly name: string;
    readonly space: string;
    readonly health: string;
    readonly tone: 'good' | 'bad' | 'neutral';
    readonly reason: string | null;
  }[];
  readonly rules: readonly {
    readonly name: string;
    readonly listensTo: string;
    readonly targets: string;
    readonly isOn: boolean;
  }[];
  readonly events: readonly EventView[];
}

export function settingsPage(view: SettingsView): VNode {
  return (
    <Layout title="Dealbell settings" framed={view.frame}>
      <header>
        <h1>Dealbell</h1>
        <p class="quiet">
          {view.companyName} · {view.plan}
        </p>
        <dl class="usage">
          {view.usage.map(({ label, value }) => (
            <div>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </header>
      <section aria-labelledby="destinations">
        <h2 id="destinations">Google Chat spaces</h2>
        <Destinations view={view} />
      </section>
      <section aria-labelledby="rules">
        <h2 id="rules">Rules</h2>
        <Rules view={view} />
      </section>
      <section aria-labelledby="events">
        <h2 id="events">What happened lately</h2>
        <EventList events={view.events} empty="Nothing has come in from Pipedrive yet." />
      </section>
    </Layout>
  );
}

function Destinations({ view }: { readonly view: SettingsView }): VNode {
  if (view.destinations.length === 0) return <p class="quiet">No Google Chat space is connected yet.</p>;
  return (
    <ul class="plain rows">
      {view.destinations.map(({ name, space, health, tone, reason }) => (
        <li>
          <strong>{name}</strong> <Badge text={health} tone={tone} />
          <br />
          <span class="quiet">{space}</span>
          {reason !== null && <p class="problem">{reason}</p>}
        </li>
      ))}
    </ul>
  );
}

function Rules({ view }: { readonly view: SettingsView }): VNode {
  if (view.rules.length === 0) return <p class="quiet">There is no rule yet, so nothing is announced.</p>;
  return (
    <ul class="plain rows">
      {view.rules.map(({ name, listensTo, targets, isOn }) => (
        <li>
          <strong>{name}</strong> <Badge text={isOn ? 'on' : 'off'} tone={isOn ? 'good' : 'neutral'} />
          <br />
          <span class="quiet">
            {listensTo} → {targets}
          </span>
        </li>
      ))}
    </ul>
  );
}
