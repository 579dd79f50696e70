/** What the sandbox prints when it is up: where everything is, what to do first, how to stop. Pure. */

import type { SandboxOptions } from './read-options';
import type { Sandbox } from './start-sandbox';

type Steps = readonly [string, string, string, string];

export function guide(sandbox: Sandbox, { isBare, settleMs }: SandboxOptions): string {
  const addresses = addressesOf(sandbox);
  const steps = isBare ? bareSteps(addresses, sandbox.wins.webhookUrl) : readySteps(addresses, settleMs);
  const lines = [
    '',
    'Dealbell sandbox is running. Stop it with Ctrl-C.',
    '',
    'Where',
    `  Pipedrive (stand-in)     ${addresses.crm}`,
    `  Google Chat (stand-in)   ${sandbox.wins.name.padEnd(13)}${sandbox.wins.pageUrl}`,
    `                           ${sandbox.team.name.padEnd(13)}${sandbox.team.pageUrl}`,
    `  Dealbell in Pipedrive    ${addresses.settings}`,
    `  Dealbell itself          ${addresses.app}/health   ${addresses.app}/docs`,
    `  Install link             ${addresses.install}`,
    '',
    'What to do first',
    ...steps.map((step, index) => `  ${index + 1}. ${step}`),
    '',
    ...(sandbox.rules.length === 0 ? [] : ['Rules', ...sandbox.rules.map((rule) => `  ${rule}`), '']),
    'Webhook URLs of the spaces, as people copy them in Google Chat',
    `  ${sandbox.wins.name.padEnd(13)}${sandbox.wins.webhookUrl}`,
    `  ${sandbox.team.name.padEnd(13)}${sandbox.team.webhookUrl}`,
    '',
    ...(isBare ? [...apiExample(sandbox, addresses), ''] : []),
    'The stand-ins forget everything when they stop. npm run sandbox -- --help shows --bare, --keep, --settle-ms and --demo.',
    '',
  ];
  return `${lines.map((line) => (line === '' ? '' : `  ${line}`)).join('\n')}\n`;
}

interface Addresses {
  readonly app: string;
  readonly crm: string;
  readonly settings: string;
  readonly install: string;
  /** Gives `{"token": ...}` as Pipedrive gives it to the pages in its frames. */
  readonly frameToken: string;
  readonly wins: string;
}

function addressesOf({ world, as, wins }: Sandbox): Addresses {
  const { pipedrive, baseUrl } = world;
  return {
    app: baseUrl,
    crm: `${pipedrive.url}/pipeline?as=${as}`,
    settings: `${pipedrive.url}/settings/marketplace/app/${pipedrive.clientId}/app-settings?as=${as}`,
    install: `${baseUrl}/oauth/install`,
    frameToken: `${pipedrive.url}/host/token?as=${as}`,
    wins: wins.pageUrl,
  };
}

function readySteps({ crm, wins }: Addresses, settleMs: number): Steps {
  const seconds = Number((settleMs / 1000).toFixed(1));
  return [
    `Open ${wins} in one window,`,
    `and ${crm} in another. Click any deal, then "Won".`,
    `Its card appears in #wins after ${seconds === 0 ? 'a moment' : `about ${seconds} s (Dealbell waits that long for corrections)`}.`,
    'Why did a rule tell it, or stay silent? The Dealbell panel on the page of the deal says so; its "•••" announces it by hand. Now move, lose or note something else.',
  ];
}

function bareSteps({ install, crm, wins }: Addresses, webhookUrl: string): Steps {
  return [
    `Open ${install}, leave the first admin chosen and press "Allow and install".`,
    'Open the settings from there and go through the three steps: connect a space, choose what to post, see the first card.',
    `The webhook URL of #wins, to paste there: ${webhookUrl}`,
    `Win any deal in ${crm} and look at ${wins}`,
  ];
}

function apiExample({ wins }: Sandbox, { app, frameToken }: Addresses): readonly string[] {
  const post = `curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json'`;
  const read = (field: string) => `node -p 'JSON.parse(fs.readFileSync(0)).${field}'`;
  const space = JSON.stringify({ name: wins.name, url: wins.webhookUrl });
  const rule = `"{\\"name\\":\\"Any win\\",\\"eventType\\":\\"deal.won\\",\\"targetWebhookIds\\":[$SPACE]}"`;
  return [
    'The same by the REST API: connect #wins, make a rule and send a test card (once Dealbell is installed)',
    `  FRAME=$(curl -s '${frameToken}')`,
    `  TOKEN=$(curl -s -H 'Content-Type: application/json' -d "$FRAME" ${app}/session | ${read('token')})`,
    `  SPACE=$(${post} -d '${space}' ${app}/chat-webhooks | ${read('id')})`,
    `  ${post} -d ${rule} ${app}/rules`,
    `  ${post} -d "{\\"chatWebhookId\\":$SPACE}" ${app}/test`,
  ];
}
