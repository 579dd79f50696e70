/** What the pages say to people who cannot use them: what happened, and what to do. Pure. */

import type { Stranger } from './viewer.store';

export interface StrangerNotice {
  readonly title: string;
  readonly lines: readonly string[];
  readonly label: string;
}

const THEN_RELOAD = 'The installation opens in a new tab. When it is done, reload this page.';

/** The words; the link leads to the installation. */
export function strangerNotice(stranger: Stranger): StrangerNotice {
  switch (stranger.kind) {
    case 'notInstalled':
      return {
        title: 'Dealbell is not connected yet',
        lines: [
          'Your company has not installed Dealbell: it tells your Google Chat spaces what happens to your deals.',
          THEN_RELOAD,
        ],
        label: 'Install Dealbell',
      };
    case 'uninstalled':
      return {
        title: 'Dealbell was removed',
        lines: [
          `Dealbell was uninstalled for ${stranger.companyName} on ${dayOf(stranger.at)}, so nothing is announced any more.`,
          `Install it again to go on where you stopped. ${THEN_RELOAD}`,
        ],
        label: 'Install Dealbell again',
      };
    case 'notConnected':
      return {
        title: 'You are not connected yet',
        lines: [
          `${stranger.companyName} uses Dealbell already. To see its settings here, install it for yourself too: that takes one click and changes nothing for your colleagues.`,
          THEN_RELOAD,
        ],
        label: 'Install Dealbell',
      };
    case 'ended':
      return {
        title: 'Your connection has ended',
        lines: [
          'Pipedrive no longer accepts your authorization of Dealbell: perhaps it was revoked, or your account changed.',
          'Reconnect to go on: rules, spaces and history are still here. It opens in a new tab; when it is done, reload this page.',
        ],
        label: 'Install Dealbell again',
      };
  }
}

export const EXPIRED = {
  title: 'Please reopen this page',
  lines: [
    'Pipedrive’s sign-in for this page is missing or has expired.',
    'Close it and open it again in Pipedrive: reload the tab, or go to Tools and apps, Marketplace apps, Dealbell.',
  ],
} as const;

function dayOf(moment: Date): string {
  return new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(moment);
}
