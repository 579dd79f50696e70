/** An account whose signing secret was sealed by a key that is gone: it says so, and the rest of it is shown. */

import { AppError, SECRET_UNREADABLE } from '../../../src/core/errors';
import { useTestDatabase } from '../../support/test-database';
import { useApi } from '../../support/use-api';
import { usePages } from '../../support/use-pages';

const api = useApi(useTestDatabase(), {
  openSigningSecret: () => Promise.reject(new AppError(SECRET_UNREADABLE, 'A stored secret cannot be opened.')),
});
const { open } = usePages(api);

test('when the signing secret of an account cannot be read, then its page and its answer say so and have all the rest', async () => {
  const { status, text } = await open('account');
  const { body } = await api.call('get', '/account', await api.openSession(1)).expect(200);

  expect(status).toBe(200);
  expect(text).toContain('cannot read the signing secret');
  expect(body.webhook).toEqual({ tenantPublicId: expect.any(String), signingSecret: null });
});
