// The stand-in Google Chat answers as the real one is documented to (Google Chat API: webhooks, limits, spaces.messages.create).
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import { type FakeGoogleChat, type FakeGoogleChatOptions, startFakeGoogleChat } from '../../fakes/google-chat/fake-google-chat';
import { drawMessage } from '../../fakes/google-chat/draw-message';
import { checkMessage } from '../../fakes/google-chat/validate-message';
import { sharedDataPath } from '../../support/shared-data';
import { brokenMessages, validMessages } from './google-chat-messages';

const threaded = '&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD';
const running: FakeGoogleChat[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((chat) => chat.close()));
});

async function aSpace(options: FakeGoogleChatOptions & { threading?: 'threaded' | 'unthreaded' } = {}) {
  const { threading = 'threaded', ...rest } = options;
  const chat = await startFakeGoogleChat({ enforceQuota: false, ...rest });
  running.push(chat);
  const space = chat.createSpace({ name: 'Sales wins', threading });
  return { chat, space, url: chat.createWebhook(space.id, { name: 'Dealbell' }).url };
}

async function post(url: string, body: unknown = { text: 'hello' }, contentType = 'application/json; charset=UTF-8') {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: (): unknown => JSON.parse(text) };
}

describe('posting', () => {
  test('when a valid message is posted, then it is answered with its names and shown in its space', async () => {
    const { chat, space, url } = await aSpace();

    const answer = await post(`${url}&requestId=r1`, { text: 'hello', fallbackText: 'phone' });

    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      name: expect.stringMatching(new RegExp(`^spaces/${space.id}/messages/[^.]+\\.[^.]+$`)),
      thread: { name: expect.stringMatching(new RegExp(`^spaces/${space.id}/threads/`)) },
      text: 'hello',
      createTime: expect.stringMatching(/Z$/),
    });
    expect(chat.messages(space.id)).toMatchObject([
      { text: 'hello', fallbackText: 'phone', requestId: 'r1', webhookName: 'Dealbell', threadKey: undefined },
    ]);
    expect(chat.requests).toMatchObject([
      { status: 200, spaceId: space.id, requestId: 'r1', rawBody: '{"text":"hello","fallbackText":"phone"}' },
    ]);
  });

  test('when a webhook is made, then its URL has the shape of a real one', async () => {
    const { chat, space, url } = await aSpace();

    expect(url.startsWith(`${chat.url}/v1/spaces/${space.id}/messages?`)).toBe(true);
    expect(url).toMatch(/\?key=AIza[A-Za-z0-9_-]{35}&token=[A-Za-z0-9_-]+%3D$/);
  });

  test.each([
    ['no key', (url: string) => url.replace(/key=[^&]+&/, ''), 403, 'unregistered callers'],
    ['a damaged key', (url: string) => url.replace('key=AIza', 'key=AIzb'), 400, 'API_KEY_INVALID'],
    ['no token', (url: string) => url.replace(/&token=.*/, ''), 403, 'called without a valid token'],
    ['a wrong token', (url: string) => url.replace('token=', 'token=x'), 403, 'PERMISSION_DENIED'],
    ['an unknown space', (url: string) => url.replace(/spaces\/[^/]+/, 'spaces/AAAAnone'), 404, 'NOT_FOUND'],
    ['a wrong path', (url: string) => url.replace('/messages', '/webhooks'), 404, '<h1>Not Found</h1>'],
    ['an unknown parameter', (url: string) => `${url}&colour=red`, 400, 'Cannot bind query parameter'],
  ])('when the address has %s, then it is refused as Google does', async (_case, damage, status, words) => {
    const { chat, url } = await aSpace();

    const answer = await post(damage(url));

    expect(answer.status).toBe(status);
    expect(answer.text).toContain(words);
    expect(chat.messages()).toEqual([]);
    expect(chat.requests).toMatchObject([{ status }]);
  });

  test('when its webhook is deleted, then posts get 404', async () => {
    const { chat, url } = await aSpace();
    chat.deleteWebhook(url);

    expect((await post(url)).status).toBe(404);
  });

  test('when something else than a post is asked, then it needs OAuth', async () => {
    const { url } = await aSpace();

    expect((await fetch(url)).status).toBe(401);
  });

  test.each([
    ['no JSON', '{"text":', 'application/json', 'Unexpected token'],
    ['another content type', '{"text":"a"}', 'text/plain', 'Unexpected token'],
    ['an unknown name', { body: 'x' }, 'application/json', 'Unknown name \\"body\\" at \'message\': Cannot find field.'],
    ['4,097 characters of text', { text: 'x'.repeat(4097) }, 'application/json', 'longer than 4096 characters'],
    ['more than 32,000 bytes', { text: 'x', fallbackText: '€'.repeat(11_000) }, 'application/json', 'longer than 32000 bytes'],
    ['101 widgets', aCardOf(101), 'application/json', 'more than 100 widgets'],
  ])('when the body is %s, then it is 400 INVALID_ARGUMENT', async (_case, body, contentType, words) => {
    const { url } = await aSpace();

    const answer = await post(url, body, contentType);

    expect(answer.status).toBe(400);
    expect(answer.text).toContain(words);
    expect(answer.json()).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } });
  });

  test('when validation is off, then a faulty card is answered 200 and only its text is seen', async () => {
    const { chat, url } = await aSpace({ validate: false });

    const answer = await post(url, { text: 'seen', cardsV2: [{ cardId: 'c', card: { sections: [] } }] });

    expect(answer.status).toBe(200);
    expect(chat.messages()).toMatchObject([{ text: 'seen', cardsV2: [] }]);
  });

  test('when bodies are not kept, then only counts remain', async () => {
    const { chat, url } = await aSpace({ validate: false, keepBodies: false });

    await post(`${url}&requestId=r1`);
    await post(`${url}&requestId=r1`);

    expect(chat.counts).toMatchObject({ requests: 2, posted: 1, replayed: 1, byStatus: { 200: 2 } });
    expect([chat.messages(), chat.requests]).toEqual([[], []]);
    await expect(chat.waitForMessages(null, 1, 1000)).resolves.toEqual([]);
  });
});

describe('request ids', () => {
  test('when a request id comes again, then the first message is returned and nothing new is posted', async () => {
    const { chat, url } = await aSpace();

    const first = await post(`${url}&requestId=r1`, { text: 'one' });
    const again = await post(`${url}&requestId=r1`, { text: 'one' });

    expect(again.json()).toEqual(first.json());
    expect(chat.messages()).toHaveLength(1);
    expect(chat.requestIdMismatch).toBe(0);
  });

  test('when it comes again with another body, then still nothing is posted and the mismatch is counted', async () => {
    const { chat, url } = await aSpace();

    await post(`${url}&requestId=r1`, { text: 'one' });
    await post(`${url}&requestId=r1`, { text: 'two' });

    expect(chat.messages().map(({ text }) => text)).toEqual(['one']);
    expect(chat.requestIdMismatch).toBe(1);
  });

  test('when another webhook uses the same id, then it is another message', async () => {
    const { chat, space, url } = await aSpace();

    await post(`${url}&requestId=r1`);
    await post(`${chat.createWebhook(space.id).url}&requestId=r1`);

    expect(chat.messages()).toHaveLength(2);
  });
});

describe('quota', () => {
  test('when two webhooks of a space post within a second, then the second gets 429, and later it passes', async () => {
    let now = 1_000_000;
    const { chat, space, url } = await aSpace({ enforceQuota: true, clock: () => now });
    const other = chat.createWebhook(space.id).url;

    const statuses = [(await post(url)).status];
    now += 999;
    statuses.push((await post(other)).status);
    now += 1;
    statuses.push((await post(other)).status);

    expect(statuses).toEqual([200, 429, 200]);
    expect(chat.requests.map(({ status }) => status)).toEqual([200, 429, 200]);
    expect(chat.messages()).toHaveLength(2);
  });

  test('when another space is posted to, then it has its own second', async () => {
    const { chat, url } = await aSpace({ enforceQuota: true, clock: () => 5000 });
    const other = chat.createWebhook(chat.createSpace({ name: 'Other' }).id).url;

    expect([(await post(url)).status, (await post(other)).status]).toEqual([200, 200]);
  });

  test('when a request id is repeated at once, then the quota counts it too', async () => {
    const { url } = await aSpace({ enforceQuota: true, clock: () => 5000 });

    expect([(await post(`${url}&requestId=r`)).status, (await post(`${url}&requestId=r`)).status]).toEqual([200, 429]);
  });
});

describe('threads', () => {
  const inThread = (text: string) => ({ text, thread: { threadKey: 'deal-7' } });

  test('when a thread key is used again with the reply option, then the message joins the thread', async () => {
    const { chat, url } = await aSpace();

    await post(url + threaded, inThread('a'));
    await post(url + threaded, inThread('b'));

    const [first, second] = chat.messages();
    expect(second?.threadName).toBe(first?.threadName);
    expect(second).toMatchObject({ threadKey: 'deal-7', text: 'b' });
  });

  test('when the reply option is missing or the webhook is another, then a new thread starts', async () => {
    const { chat, space, url } = await aSpace();

    await post(url + threaded, inThread('a'));
    await post(url, inThread('b'));
    await post(chat.createWebhook(space.id).url + threaded, inThread('c'));

    expect(new Set(chat.messages().map(({ threadName }) => threadName)).size).toBe(3);
  });

  test('when there is a reply option but no thread, then it is 400', async () => {
    const { url } = await aSpace();

    expect((await post(url + threaded)).status).toBe(400);
  });

  test('when the space knows no threads, then a thread is 400 and a plain message passes', async () => {
    const { url } = await aSpace({ threading: 'unthreaded' });

    expect((await post(url + threaded, inThread('a'))).status).toBe(400);
    expect((await post(url)).status).toBe(200);
  });
});

describe('faults', () => {
  test('when failures are ordered, then so many requests fail so, and then all is well', async () => {
    const { chat, url } = await aSpace();
    chat.failNext({ status: 429, headers: { 'retry-after': '7' }, times: 2 });

    const answers = [await post(url), await post(url), await post(url)];

    expect(answers.map(({ status }) => status)).toEqual([429, 429, 200]);
    expect(answers[0]?.headers.get('retry-after')).toBe('7');
    expect(answers[0]?.json()).toMatchObject({ error: { status: 'RESOURCE_EXHAUSTED' } });
  });

  test('when the answer is lost after posting, then a repetition shows the message once', async () => {
    const { chat, url } = await aSpace();
    chat.failNext({ reset: true, afterPosting: true });

    await expect(post(`${url}&requestId=r`)).rejects.toThrow();
    const again = await post(`${url}&requestId=r`);

    expect(again.status).toBe(200);
    expect(chat.messages()).toHaveLength(1);
    expect(chat.requests.map(({ status }) => status)).toEqual([null, 200]);
  });

  test('when a request hangs, then it is recorded and never answered', async () => {
    const { chat, url } = await aSpace();
    chat.failNext({ hang: true });
    const recorded = new Promise((resolve) => chat.onRequest(resolve));
    const stop = new AbortController();

    const hanging = fetch(url, { method: 'POST', body: '{}', signal: stop.signal });

    await expect(recorded).resolves.toMatchObject({ status: null });
    stop.abort();
    await expect(hanging).rejects.toThrow();
    expect(chat.messages()).toEqual([]);
  });

  test('when a redirect, an HTML page or a delay is ordered, then it happens', async () => {
    const { chat, url } = await aSpace();
    chat.failNext({ redirectTo: 'http://127.0.0.1:9/elsewhere' });
    chat.failNext({ status: 502, body: '<h1>Bad gateway</h1>' });
    chat.failNext({ delayMs: 30 });

    const redirect = await post(url);
    const page = await post(url);
    const startedAt = performance.now();
    const late = await post(url);

    expect([redirect.status, redirect.headers.get('location')]).toEqual([302, 'http://127.0.0.1:9/elsewhere']);
    expect([page.status, page.text]).toEqual([502, '<h1>Bad gateway</h1>']);
    expect(late.status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(25);
  });

  test('when a space is out, then only that space is, until it is lifted', async () => {
    const { chat, space, url } = await aSpace();
    const other = chat.createWebhook(chat.createSpace({ name: 'Other' }).id).url;
    chat.setOutage(space.id, 503);

    const during = [(await post(url)).status, (await post(other)).status];
    chat.setOutage(space.id, null);

    expect(during).toEqual([503, 200]);
    expect((await post(url)).status).toBe(200);
  });

  test('when too few messages come, then waiting ends with an error that says what came', async () => {
    const { chat, space, url } = await aSpace();
    await post(url);

    await expect(chat.waitForMessages(space.id, 2, 50)).rejects.toThrow(/2 message\(s\) expected.*1 came.*"200":1/);
  });
});

describe('schema', () => {
  const sharedSchema = sharedDataPath('google-chat/webhook-message.schema.json');
  const sharedCheck =
    sharedSchema === null ? null : new Ajv({ strict: false }).compile(parsed(readFileSync(sharedSchema, 'utf8')));
  const whenShared = sharedCheck === null ? test.skip : test;

  test.each(Object.entries(validMessages))('when a message is %s, then it is valid', (_name, message) => {
    expect(checkMessage(message, 1000)).toEqual({ kind: 'valid', message });
  });

  test.each(Object.entries(brokenMessages))('when a message has %s, then it is refused', (_name, { message }) => {
    expect(checkMessage(message, 1000)).toMatchObject({ kind: 'invalid' });
  });

  whenShared.each(Object.entries(validMessages))('the shared schema too takes %s', (_name, message) => {
    expect(sharedCheck?.(message)).toBe(true);
  });

  whenShared.each(Object.entries(brokenMessages))(
    'the shared schema agrees or is known to be laxer on %s',
    (_name, { message, sharedIsLaxer = false }) => {
      expect(sharedCheck?.(message)).toBe(sharedIsLaxer);
    },
  );
});

describe('drawing', () => {
  test('when text holds markup of Chat, then it is drawn, and a mention of all stands out', () => {
    const html = drawMessage({
      text: '*Won* _now_ ~old~ `x` <https://a.example/b|Deal> <users/all> 3*4*5',
      markupSyntax: 'MARKUP_SYNTAX_CHAT',
    });

    expect(html).toContain('<b>Won</b> <i>now</i> <s>old</s> <code class="gc-code">x</code>');
    expect(html).toContain('href="https://a.example/b"');
    expect(html).toContain('<span class="gc-mention gc-mention-all">@all</span> 3*4*5');
  });

  test.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '"><svg onload=alert(1)>',
    '<b onclick="x()">',
    '<a href="javascript:alert(1)">x</a>',
    '<font color="red;x">',
    '</div></b>',
    '<a href="https://x" onclick="y">',
  ])('when any field holds %s, then it stands there as text', (hostile) => {
    const html = drawMessage(
      {
        text: hostile,
        fallbackText: hostile,
        cardsV2: [
          {
            cardId: 'c',
            card: {
              header: { title: hostile, subtitle: hostile },
              sections: [
                {
                  header: hostile,
                  widgets: [
                    { decoratedText: { topLabel: hostile, text: hostile, bottomLabel: hostile } },
                    { textParagraph: { text: hostile, textSyntax: 'MARKDOWN' } },
                    { buttonList: { buttons: [{ text: hostile, onClick: { openLink: { url: 'https://a.example/"><i>' } } }] } },
                  ],
                },
              ],
            },
          },
        ],
      },
      { sender: hostile, time: hostile, id: hostile },
    );

    expect(html).not.toContain(hostile);
    expect(html).not.toMatch(/<(?:script|img)\b|<[^>"]*(?:"[^"]*"[^>"]*)*\son\w+=|href="javascript|example\/"/i);
  });

  test('when card text uses the HTML subset, then it is drawn and closed', () => {
    const html = drawMessage({
      cardsV2: [
        {
          cardId: 'c',
          card: {
            sections: [
              { widgets: [{ textParagraph: { text: '<b>a<i>b</b> <font color="#188038">c</font> &lt;b&gt; &amp;amp;<br>d' } }] },
            ],
          },
        },
      ],
    });

    expect(html).toContain('<b>a<i>b</i></b> <span style="color:#188038">c</span> &lt;b&gt; &amp;amp;<br>d');
  });

  test('when an icon is not known, then a dot is drawn and the name is reported', async () => {
    const { chat, url } = await aSpace();

    await post(url, {
      cardsV2: [
        {
          cardId: 'c',
          card: {
            sections: [
              {
                widgets: [
                  { decoratedText: { text: 'x', startIcon: { materialIcon: { name: 'no_such_icon' } } } },
                  { decoratedText: { text: 'x', startIcon: { materialIcon: { name: 'payments' } } } },
                ],
              },
            ],
          },
        },
      ],
    });

    expect(chat.unknownIcons).toEqual(['no_such_icon']);
  });
});

describe('pages', () => {
  test('when a person creates a space and adds a webhook, then its URL is shown and works', async () => {
    const { chat } = await aSpace();

    const created = await post(`${chat.url}/spaces`, 'name=New+%3Cspace%3E', 'application/x-www-form-urlencoded');
    const spacePath = created.headers.get('location') ?? '';
    await post(`${chat.url}${spacePath}/webhooks`, 'name=Bell', 'application/x-www-form-urlencoded');
    const page = await (await fetch(`${chat.url}${spacePath}?apps`)).text();
    const shownUrl = /value="(http[^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? '';

    expect(created.status).toBe(303);
    expect(page).toContain('New &lt;space&gt;');
    expect((await post(shownUrl)).status).toBe(200);
  });

  test('when messages wait unseen, then the home page counts them until the space is opened', async () => {
    const { chat, space, url } = await aSpace();
    await post(url);

    const before = await (await fetch(chat.url)).text();
    const opened = await (await fetch(`${chat.url}/spaces/${space.id}?print`)).text();
    const after = await (await fetch(chat.url)).text();

    expect(before).toContain('1 unread');
    expect(opened).toContain('hello');
    expect(opened).not.toContain('<script');
    expect(after).not.toContain('unread');
  });

  test('when a thread has replies, then they fold under its first message', async () => {
    const { chat, space, url } = await aSpace();
    await post(url + threaded, { text: 'first', thread: { threadKey: 'k' } });
    await post(url + threaded, { text: 'second', thread: { threadKey: 'k' } });

    const page = await (await fetch(`${chat.url}/spaces/${space.id}`)).text();

    expect(page).toMatch(/<summary>1 reply/);
  });
});

function aCardOf(widgetCount: number): object {
  return {
    cardsV2: [{ cardId: 'c', card: { sections: [{ widgets: Array.from({ length: widgetCount }, () => ({ divider: {} })) }] } }],
  };
}

function parsed(json: string): object {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null ? value : {};
}
