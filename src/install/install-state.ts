/** The OAuth state of an install that was started here: random, bound to the browser's session, good for one callback. */

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { messageOf } from '../core/errors';
/** The part of a browser session that remembers the installs begun in it. */
export interface InstallSession {
  /** Oldest first. */
  installStates?: readonly string[];
  save(done: (error: unknown) => void): unknown;
}

const STATE_BYTES = 24;
/** So many tabs may start an install at once. */
const MOST_STATES = 5;

/** A new state, saved before it is given out. */
export async function addState(session: InstallSession): Promise<string> {
  const state = randomBytes(STATE_BYTES).toString('base64url');
  session.installStates = [...(session.installStates ?? []), state].slice(-MOST_STATES);
  await save(session);
  return state;
}

/** Whether this session began with that state; it is used up, whatever comes of it. */
export async function takeState(session: InstallSession, state: string): Promise<boolean> {
  const states = session.installStates ?? [];
  const others = states.filter((known) => !isSame(known, state));
  if (others.length === states.length) return false;
  session.installStates = others;
  await save(session);
  return true;
}

function isSame(known: string, given: string): boolean {
  const knownBytes = Buffer.from(known);
  const givenBytes = Buffer.from(given);
  return knownBytes.length === givenBytes.length && timingSafeEqual(knownBytes, givenBytes);
}

function save(session: InstallSession): Promise<void> {
  return new Promise((resolve, reject) => {
    session.save((error: unknown) => {
      if (error === undefined || error === null) resolve();
      else reject(new Error(`The install state could not be saved: ${messageOf(error)}`, { cause: error }));
    });
  });
}
