// Counts and keeps the requests of the stand-in, and wakes those who wait for messages.
import type { IncomingHttpHeaders } from 'node:http';
import type { Receipt } from './receive-message';

export interface RequestRecord {
  /** When it came, by the stand-in's clock, in milliseconds since 1970. */
  readonly at: number;
  /** null when the path names no space. */
  readonly spaceId: string | null;
  /** null when the connection was cut or left hanging. */
  readonly status: number | null;
  readonly requestId: string | undefined;
  readonly rawBody: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
}

export interface ChatCounts {
  readonly requests: number;
  readonly posted: number;
  /** Repetitions of a request id: answered 200, nothing posted. */
  readonly replayed: number;
  readonly requestIdMismatch: number;
  /** Requests by the status they got; 0 stands for cut and hanging ones. */
  readonly byStatus: Readonly<Record<number, number>>;
}

export function makeTally({ keepBodies }: { keepBodies: boolean }) {
  const kept: RequestRecord[] = [];
  const listeners = new Set<(request: RequestRecord) => void>();
  const waiting = new Set<() => void>();
  let counts = emptyCounts();

  return {
    record(request: RequestRecord): void {
      counts.requests += 1;
      counts.byStatus[request.status ?? 0] = (counts.byStatus[request.status ?? 0] ?? 0) + 1;
      if (keepBodies) {
        kept.push(request);
      }
      listeners.forEach((listener) => {
        listener(request);
      });
    },
    receipt(receipt: Receipt): void {
      switch (receipt.kind) {
        case 'posted':
          counts.posted += 1;
          return;
        case 'replayed':
          counts.replayed += 1;
          counts.requestIdMismatch += receipt.sameBody ? 0 : 1;
          return;
        case 'refused':
          return;
        default:
          receipt satisfies never;
      }
    },
    wake(): void {
      waiting.forEach((check) => {
        check();
      });
    },
    /** @throws Error after `timeoutMs` with the given words and the statuses answered so far */
    waitUntil(isMet: () => boolean, timeoutMs: number, inWords: () => string): Promise<void> {
      return new Promise((resolve, reject) => {
        const finish = (): void => {
          clearTimeout(timer);
          waiting.delete(check);
        };
        const check = (): void => {
          if (isMet()) {
            finish();
            resolve();
          }
        };
        const timer = setTimeout(() => {
          finish();
          reject(new Error(`${inWords()} within ${timeoutMs} ms; requests by status: ${JSON.stringify(counts.byStatus)}`));
        }, timeoutMs);
        waiting.add(check);
        check();
      });
    },
    onRequest(listener: (request: RequestRecord) => void): () => void {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    requests: (): readonly RequestRecord[] => kept,
    counts: (): ChatCounts => ({ ...counts, byStatus: { ...counts.byStatus } }),
    clear(): void {
      kept.length = 0;
      counts = emptyCounts();
    },
  };
}

function emptyCounts() {
  const byStatus: Record<number, number> = {};
  return { requests: 0, posted: 0, replayed: 0, requestIdMismatch: 0, byStatus };
}
