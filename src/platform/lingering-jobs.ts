/**
 * Keeps a job going for as long as its own process rings for it: on PostgreSQL a BullMQ job costs about 2 ms of database time, a
 * call nothing. Other processes ring by the queue as ever and are heard by the next job.
 */

/** How long a job waits for one more ring of its own process; longer would hold up the rings of other processes, if there are any. */
const LINGER_MS = 50;
const LINGER_ALONE_MS = 1_000;
/** Every job is bound in time; well below the time after which BullMQ takes it for stalled. */
const LONGEST_MS = 10_000;
/** A process that has not rung for so long is no ringer: its jobs do not linger. */
const RINGER_MS = 1_000;

export interface LingeringJobs {
  /** Tells the job of this key, if this process runs one; it will work once more. False when there is none. */
  tell(key: string, payload: Payload): boolean;
  /** Works, and again for rings meanwhile. A ring that the job can no longer hear, also because it fails, is given to `leave`. */
  run(key: string, work: () => Promise<void>, leave: (payload: Payload) => void): Promise<void>;
  /** From now on nothing lingers. */
  close(): void;
}

type Payload = Readonly<Record<string, unknown>>;

interface Job {
  /** What was rung since the work began. */
  rung: Payload | null;
  wake: () => void;
}

/** `places` is how many jobs this process runs at once: lingering takes at most half of them. `isAlone`: no other process rings. */
export function makeLingeringJobs(places: number, isAlone = false): LingeringJobs {
  const jobs = new Map<string, Job>();
  let lastRungAtMs = Number.NEGATIVE_INFINITY;
  let isClosed = false;

  async function isRungAgain(job: Job): Promise<boolean> {
    if (isRung(job)) return true;
    const mayLinger = !isClosed && jobs.size <= places / 2 && performance.now() - lastRungAtMs < RINGER_MS;
    if (!mayLinger) return false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, isAlone ? LINGER_ALONE_MS : LINGER_MS);
      job.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return isRung(job);
  }

  return {
    tell(key, payload) {
      lastRungAtMs = performance.now();
      const job = jobs.get(key);
      if (job === undefined) return false;
      job.rung = payload;
      job.wake();
      return true;
    },
    async run(key, work, leave) {
      const job: Job = { rung: null, wake: () => undefined };
      const endsAtMs = performance.now() + LONGEST_MS;
      jobs.set(key, job);
      try {
        do {
          job.rung = null;
          await work();
        } while (performance.now() < endsAtMs && !isClosed && (await isRungAgain(job)));
      } finally {
        if (jobs.get(key) === job) jobs.delete(key);
        if (job.rung !== null) leave(job.rung);
      }
    },
    close() {
      isClosed = true;
      for (const job of jobs.values()) job.wake();
    },
  };
}

/** Asked anew after every wait: rings come meanwhile. */
function isRung(job: Job): boolean {
  return job.rung !== null;
}
