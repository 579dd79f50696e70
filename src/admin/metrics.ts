/** Figures for the operator in Prometheus' form. */

import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

export interface Metrics {
  countWebhook(status: number, outcome: string): void;
  countAttempt(outcome: string): void;
  /** From the arrival of the event to the answer of Google Chat. */
  observeDeliveryAge(seconds: number): void;
  /** Prometheus' text. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Makes the registry of this process. */
export function makeMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'dealbell_' });
  const webhooks = new Counter({
    name: 'dealbell_webhooks_total',
    help: 'Webhooks of Pipedrive by answer.',
    labelNames: ['status', 'outcome'],
    registers: [registry],
  });
  const attempts = new Counter({
    name: 'dealbell_delivery_attempts_total',
    help: 'Attempts to post to Google Chat by outcome.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const age = new Histogram({
    name: 'dealbell_delivery_age_seconds',
    help: 'Age of a message when Google Chat took it.',
    buckets: [0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600],
    registers: [registry],
  });
  return {
    countWebhook: (status, outcome) => webhooks.inc({ status: String(status), outcome }),
    countAttempt: (outcome) => attempts.inc({ outcome }),
    observeDeliveryAge: (seconds) => age.observe(seconds),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
