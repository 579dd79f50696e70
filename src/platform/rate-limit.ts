/** How many requests a minute one caller may make, counted in this process's memory. */

import type { Response } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../core/errors';

const WINDOW_S = 60;

export interface RateLimit {
  /** Counts one request of `caller` and says in `RateLimit-*` what is left. Throws an AppError (429) when nothing is. */
  take(caller: string, response: Response): Promise<void>;
  /** Throws the same when nothing is left, without counting anything. */
  check(caller: string, response: Response): Promise<void>;
  /** Counts without refusing. */
  count(caller: string): Promise<void>;
}

/** `perMinute`: requests per caller in a window of 60 s that opens with the first one. */
export function makeRateLimit({ perMinute, name }: { perMinute: number; name: string }): RateLimit {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: WINDOW_S, keyPrefix: name });
  return {
    async take(caller, response) {
      const result = await limiter.consume(caller).catch((refusal: unknown) => {
        if (refusal instanceof RateLimiterRes) return refusal;
        throw refusal;
      });
      tell(response, perMinute, result);
      if (result.consumedPoints > perMinute) throw tooMany(response, result);
    },
    async check(caller, response) {
      const result = await limiter.get(caller);
      if (result !== null && result.consumedPoints >= perMinute) throw tooMany(response, result);
    },
    async count(caller) {
      await limiter.penalty(caller);
    },
  };
}

function tell(response: Response, perMinute: number, result: RateLimiterRes): void {
  response.set({
    'RateLimit-Limit': String(perMinute),
    'RateLimit-Remaining': String(Math.max(0, result.remainingPoints)),
    'RateLimit-Reset': String(Math.ceil(result.msBeforeNext / 1000)),
    'RateLimit-Policy': `${perMinute};w=${WINDOW_S}`,
  });
}

function tooMany(response: Response, result: RateLimiterRes): AppError {
  const seconds = Math.max(1, Math.ceil(result.msBeforeNext / 1000));
  response.set('Retry-After', String(seconds));
  return new AppError('too_many_requests', `Too many requests: please try again in ${seconds} s.`, { status: 429 });
}
