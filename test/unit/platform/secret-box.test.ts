import { z } from 'zod';
import { makeSecretBox } from '../../../src/platform/secret-box';

const key = (id: string, fill: number) => ({ id, key: new Uint8Array(32).fill(fill) });
const secretSchema = z.object({ token: z.string() });

describe('makeSecretBox', () => {
  test('when a secret is opened for its own tenant and purpose, then it is what was sealed', async () => {
    const box = makeSecretBox([key('a', 1)]);

    const sealed = await box.seal(7, 'tokens', { token: 'hush' });

    expect(sealed).not.toContain('hush');
    expect(await box.open(7, 'tokens', sealed, secretSchema)).toEqual({ token: 'hush' });
  });

  test('when the keys were rotated, then old secrets open and new ones bear the new key', async () => {
    const sealed = await makeSecretBox([key('a', 1)]).seal(7, 'tokens', { token: 'hush' });
    const rotated = makeSecretBox([key('b', 2), key('a', 1)]);

    const opened = await rotated.open(7, 'tokens', sealed, secretSchema);
    const anew = await rotated.seal(7, 'tokens', opened);

    expect(opened).toEqual({ token: 'hush' });
    expect(JSON.parse(Buffer.from(anew.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({ kid: 'b' });
  });

  test.each([
    ['another tenant', 8, 'tokens', 'another tenant or purpose'],
    ['another purpose', 7, 'signing', 'another tenant or purpose'],
  ])('when it is opened for %s, then it says so without any secret', async (_name, tenantId, purpose, words) => {
    const box = makeSecretBox([key('a', 1)]);
    const sealed = await box.seal(7, 'tokens', { token: 'hush' });

    const opening = box.open(tenantId, purpose, sealed, secretSchema);

    await expect(opening).rejects.toMatchObject({ code: 'secret_unreadable', message: expect.stringContaining(words) });
    await expect(opening).rejects.not.toMatchObject({ message: expect.stringContaining('hush') });
  });

  test('when its key is unknown, then the error names the key id', async () => {
    const sealed = await makeSecretBox([key('old', 1)]).seal(7, 'tokens', { token: 'hush' });

    const opening = makeSecretBox([key('new', 2)]).open(7, 'tokens', sealed, secretSchema);

    await expect(opening).rejects.toMatchObject({ code: 'secret_unreadable', message: expect.stringContaining('"old"') });
  });

  test.each([
    // Not the last character: some of its bits belong to nothing.
    ['changed text', (sealed: string) => sealed.replace(/.(?=.{4}$)/, (one) => (one === 'A' ? 'B' : 'A'))],
    ['no sealed text at all', () => ''],
    ['another key of the same id', (sealed: string) => sealed],
  ])('when there is %s, then it cannot be opened', async (name, change) => {
    const sealed = await makeSecretBox([key('a', 1)]).seal(7, 'tokens', { token: 'hush' });
    const box = makeSecretBox([key('a', name.startsWith('another') ? 2 : 1)]);

    const opening = box.open(7, 'tokens', change(sealed), secretSchema);

    await expect(opening).rejects.toMatchObject({ code: 'secret_unreadable' });
  });

  test('when a new key is put in front, then digests stay the same', () => {
    const before = makeSecretBox([key('a', 1)]).digest('url');
    const after = makeSecretBox([key('b', 2), key('a', 1)]).digest('url');

    expect(after).toEqual(before);
    expect(after).toHaveLength(32);
    expect(makeSecretBox([key('b', 2)]).digest('url')).not.toEqual(before);
  });

  test.each([[[]], [[{ id: 'short', key: new Uint8Array(16) }]]])(
    'when the keys are unusable (%j), then it says so at once',
    (keys) => {
      expect(() => makeSecretBox(keys)).toThrow(expect.objectContaining({ code: 'encryption_keys' }));
    },
  );
});
