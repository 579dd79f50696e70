// Faults that a test orders for the next requests, and outages that last until they are lifted.
import { type ChatAnswer, errorAnswer } from './google-answers';

export interface Fault {
  /** Only requests to this space; any space when absent. */
  readonly spaceId?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON; Google's usual error body for the status when absent. */
  readonly body?: string | object;
  /** Waits so long before the request is handled (with afterPosting: before it is answered). */
  readonly delayMs?: number;
  /** Cuts the connection instead of answering. */
  readonly reset?: boolean;
  /** Never answers. */
  readonly hang?: boolean;
  /** Answers 302 (or `status`) to this address. */
  readonly redirectTo?: string;
  /** The message is posted first, and only its answer is lost: what `requestId` is for. */
  readonly afterPosting?: boolean;
  /** How many requests are hit; 1 when absent. */
  readonly times?: number;
}

export type FaultOutcome =
  | { readonly kind: 'answer'; readonly answer: ChatAnswer }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'none' };

export interface FaultPlan {
  failNext(fault: Fault): void;
  setOutage(spaceId: string | null, status: number | null): void;
  /** The fault for a request to this space, if any; counts it as used. */
  take(spaceId: string | null): Fault | null;
  clear(): void;
}

export function makeFaultPlan(): FaultPlan {
  let ordered: { readonly fault: Fault; left: number }[] = [];
  const outages = new Map<string | null, number>();

  return {
    failNext: (fault) => {
      ordered.push({ fault, left: fault.times ?? 1 });
    },
    setOutage: (spaceId, status) => {
      if (status === null) {
        outages.delete(spaceId);
      } else {
        outages.set(spaceId, status);
      }
    },
    take: (spaceId) => {
      const next = ordered.find(({ fault }) => fault.spaceId === undefined || fault.spaceId === spaceId);
      if (next) {
        next.left -= 1;
        ordered = ordered.filter(({ left }) => left > 0);
        return next.fault;
      }
      const outage = outages.get(spaceId) ?? outages.get(null);
      return outage === undefined ? null : { status: outage };
    },
    clear: () => {
      ordered = [];
      outages.clear();
    },
  };
}

/** What the fault makes of the answer; `none` when it only delays. */
export function faultOutcome(fault: Fault): FaultOutcome {
  if (fault.reset) {
    return { kind: 'reset' };
  }
  if (fault.hang) {
    return { kind: 'hang' };
  }
  if (fault.redirectTo !== undefined) {
    return {
      kind: 'answer',
      answer: { status: fault.status ?? 302, headers: { location: fault.redirectTo, ...fault.headers }, body: '' },
    };
  }
  if (fault.status === undefined && fault.body === undefined) {
    return { kind: 'none' };
  }
  return { kind: 'answer', answer: faultAnswer(fault) };
}

function faultAnswer(fault: Fault): ChatAnswer {
  const usual = errorAnswer(fault.status ?? 200);
  if (fault.body === undefined) {
    return { ...usual, headers: { ...usual.headers, ...fault.headers } };
  }
  const isText = typeof fault.body === 'string';
  return {
    status: usual.status,
    headers: { 'content-type': isText ? 'text/html; charset=UTF-8' : 'application/json; charset=UTF-8', ...fault.headers },
    body: typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body),
  };
}
