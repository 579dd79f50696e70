/** Starts everything of the sandbox in this process and, unless asked otherwise, makes it ready to click. */

import type { Logger } from 'pino';
import { DEMO_COMPANY_ID } from '../fakes/pipedrive/seed-crm';
import { firstAdmin, startWorld, type World } from '../support/world';
import { friendlyPort } from './friendly-port';
import { openLedger } from './open-ledger';
import { makeReady } from './make-ready';

export interface SandboxSpace {
  readonly name: string;
  readonly pageUrl: string;
  /** What a person pastes into Dealbell. */
  readonly webhookUrl: string;
}

export interface Sandbox {
  readonly world: World;
  readonly wins: SandboxSpace;
  readonly team: SandboxSpace;
  /** Of the admin whom the guide speaks to, as the stand-in CRM's addresses name users. */
  readonly as: string;
  /** The rules that were made, in words; empty when nothing was made. */
  readonly rules: readonly string[];
  close(): Promise<void>;
}

/** As the real Pipedrive: after 3, 30 and 150 seconds. */
const PIPEDRIVE_RETRIES_MS = [3_000, 30_000, 150_000] as const;
const SWEEP_INTERVAL_MS = 2_000;

/** Throws an AppError with words for people when the data folder is in use. Nothing is left running when it throws. */
export async function startSandbox(needs: {
  readonly dataDir: string;
  readonly isKept: boolean;
  readonly isBare: boolean;
  readonly settleMs: number;
  readonly log: Logger;
}): Promise<Sandbox> {
  const { dataDir, isBare, settleMs, log } = needs;
  const ledger = await openLedger(needs);
  const ports = await friendlyPorts();
  let as = '';
  try {
    const world = await startWorld({
      ...{ databaseUrl: ledger.databaseUrl, dataDir, isAlone: true, settleMs, log, sweepIntervalMs: SWEEP_INTERVAL_MS },
      port: ports.dealbell,
      pipedrive: { port: ports.pipedrive, retryDelaysMs: PIPEDRIVE_RETRIES_MS },
      chat: { port: ports.chat, leadTo: (address) => standInAddress(address, `http://127.0.0.1:${ports.pipedrive}`, as) },
    });
    as = `${DEMO_COMPANY_ID}-${firstAdmin(world.pipedrive, DEMO_COMPANY_ID)}`;
    const spaces = { wins: makeSpace(world, '#wins', 'AAQAwins'), team: makeSpace(world, '#sales-team', 'AAQAsalesteam') };
    const rules = isBare ? [] : await makeReady(world, spaces);
    return {
      ...{ world, rules, as, ...spaces },
      async close() {
        await world.close();
        await ledger.close();
      },
    };
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

async function friendlyPorts() {
  return { dealbell: await friendlyPort(3000), pipedrive: await friendlyPort(3001), chat: await friendlyPort(3002) };
}

/** Cards link to Pipedrive's real address; here a click leads to the stand-in, which has pages of deals, leads and contacts. */
function standInAddress(address: string, standInUrl: string, as: string): string {
  const { hostname, pathname } = new URL(address);
  if (!hostname.endsWith('.pipedrive.com')) return address;
  return `${standInUrl}${/^\/(deal|leads)\//.test(pathname) ? pathname : '/persons/list'}?as=${as}`;
}

/** Id and token stay the same over restarts, so that destinations of a kept sandbox go on working. */
function makeSpace({ chat }: World, name: string, id: string): SandboxSpace {
  chat.createSpace({ name, id });
  const { url } = chat.createWebhook(id, { name: 'Dealbell', token: `token-of-${id}` });
  return { name, pageUrl: `${chat.url}/spaces/${id}`, webhookUrl: url };
}
