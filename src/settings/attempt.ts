/** Doing what a form asks: what the API refuses is no error of a page but something to show beside the fields. */

import type { Refusal } from '../../views/form';
import { AppError } from '../core/errors';

export type Attempt<Result> =
  { readonly done: true; readonly result: Result } | { readonly done: false; readonly refusal: Refusal };

/** Statuses that a person can do something about in the form. */
const ABOUT_THE_FORM: ReadonlySet<number> = new Set([400, 403, 409, 422, 429, 502, 503]);

/** Does it; what the API refuses with words comes back, everything else is thrown on. */
export async function attempt<Result>(work: () => Promise<Result>): Promise<Attempt<Result>> {
  try {
    return { done: true, result: await work() };
  } catch (error) {
    if (!(error instanceof AppError) || !ABOUT_THE_FORM.has(error.status)) throw error;
    return { done: false, refusal: { message: error.message, errors: error.errors } };
  }
}
