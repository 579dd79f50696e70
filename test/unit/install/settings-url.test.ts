/** Where Pipedrive shows our settings page. */

import { settingsUrlOf } from '../../../src/install/settings-url';

const REAL = { clientId: 'a/b', oauthUrl: 'https://oauth.pipedrive.com', baseUrl: 'https://dealbell.example' };
const PATH = '/settings/marketplace/app/a%2Fb/app-settings';

test.each([
  ['Pipedrive is the real one', REAL, `https://brightwater.pipedrive.com${PATH}`],
  ['only we are on this machine', { ...REAL, baseUrl: 'http://localhost:3000' }, `https://brightwater.pipedrive.com${PATH}`],
  [
    'both are on this machine',
    { ...REAL, oauthUrl: 'http://127.0.0.1:4000', baseUrl: 'http://localhost:3000' },
    `http://127.0.0.1:4000${PATH}`,
  ],
  ['we are served by https', { ...REAL, oauthUrl: 'http://127.0.0.1:4000' }, `https://brightwater.pipedrive.com${PATH}`],
])('when %s, then the settings are there', (_name, setup, expected) => {
  expect(settingsUrlOf('brightwater', setup)).toBe(expected);
});
