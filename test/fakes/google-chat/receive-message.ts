// Decides what Google Chat answers to one POST, and posts the message when it is accepted: credentials, quota, body, thread, request id.
import type { ChatMessage } from './chat-message';
import { COMMON_KEY, type ChatLedger, type ChatWebhook, digest, messageName } from './chat-ledger';
import {
  type ChatAnswer,
  errorAnswer,
  invalidField,
  jsonAnswer,
  keyInvalid,
  keyMissing,
  notJson,
  tokenInvalid,
} from './google-answers';
import { checkMessage } from './validate-message';

export interface IncomingPost {
  readonly spaceId: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly rawBody: string;
  readonly atMs: number;
}

export interface ReceiverSettings {
  readonly enforceQuota: boolean;
  readonly quotaPerSecond: number;
  readonly validate: boolean;
  readonly keepBodies: boolean;
}

export type Receipt =
  | { readonly kind: 'refused'; readonly answer: ChatAnswer }
  | { readonly kind: 'posted'; readonly answer: ChatAnswer }
  | { readonly kind: 'replayed'; readonly answer: ChatAnswer; readonly sameBody: boolean };

type Checked<T> = { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'refused'; readonly answer: ChatAnswer };
type Reading = { readonly message: ChatMessage; readonly echo: object };

const replyOptions = ['REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD', 'REPLY_MESSAGE_OR_FAIL', 'MESSAGE_REPLY_OPTION_UNSPECIFIED'];
const parameters = new Set(['key', 'token', 'requestId', 'messageReplyOption', 'threadKey']);

/** Makes the receiver; its result says what was answered and whether anything was posted. */
export function makeReceiver({
  ledger,
  settings,
}: {
  ledger: ChatLedger;
  settings: ReceiverSettings;
}): (post: IncomingPost) => Receipt {
  return (post) => {
    const access = admit(ledger, post);
    if (access.kind === 'refused') {
      return access;
    }
    const webhook = access.value;
    if (settings.enforceQuota && !ledger.takeSlot(post.spaceId, post.atMs, 1000 / settings.quotaPerSecond)) {
      return refuse(errorAnswer(429));
    }
    const reading = read(post, settings);
    if (reading.kind === 'refused') {
      return reading;
    }
    const repeated = replay(ledger, webhook, post, reading.value);
    if (repeated) {
      return repeated;
    }
    const thread = chooseThread(ledger, webhook, post, reading.value.message);
    return thread.kind === 'refused'
      ? thread
      : keep({ ledger, webhook, post, reading: reading.value, thread: thread.value, settings });
  };
}

function admit(ledger: ChatLedger, { spaceId, query }: IncomingPost): Checked<ChatWebhook> {
  const key = query.get('key');
  if (!key) {
    return refuse(keyMissing());
  }
  if (key !== COMMON_KEY) {
    return refuse(keyInvalid());
  }
  if (ledger.space(spaceId) === undefined) {
    return refuse(errorAnswer(404));
  }
  const token = query.get('token') ?? '';
  const webhook = ledger.webhook(spaceId, token);
  if (!webhook) {
    return refuse(ledger.wasDeleted(spaceId, token) ? errorAnswer(404) : tokenInvalid());
  }
  return { kind: 'ok', value: webhook };
}

function read(post: IncomingPost, settings: ReceiverSettings): Checked<Reading> {
  if (!settings.validate && !settings.keepBodies) {
    return { kind: 'ok', value: { message: {}, echo: {} } };
  }
  const unknownName = [...post.query.keys()].find((name) => !parameters.has(name));
  if (unknownName !== undefined) {
    return refuse(
      invalidField(
        '',
        `Invalid JSON payload received. Unknown name "${unknownName}": Cannot bind query parameter. Field '${unknownName}' could not be found in request message.`,
      ),
    );
  }
  const body = parseJson(post);
  if (body === undefined) {
    return refuse(notJson());
  }
  const check = checkMessage(body, Buffer.byteLength(post.rawBody));
  if (check.kind === 'valid') {
    return { kind: 'ok', value: { message: check.message, echo: check.message } };
  }
  if (settings.validate) {
    return refuse(invalidField(check.field, check.because));
  }
  // Like real Chat with a faulty card: 200, and people see the text at most.
  return { kind: 'ok', value: { message: plainPart(body), echo: body } };
}

function parseJson({ contentType, rawBody }: IncomingPost): object | undefined {
  if (!/^application\/json\b/i.test(contentType)) {
    return undefined;
  }
  try {
    const body: unknown = JSON.parse(rawBody);
    return typeof body === 'object' && body !== null ? body : undefined;
  } catch {
    return undefined; // answered 400 by the caller
  }
}

function plainPart(body: object): ChatMessage {
  return {
    ...('text' in body && typeof body.text === 'string' ? { text: body.text } : {}),
    ...('fallbackText' in body && typeof body.fallbackText === 'string' ? { fallbackText: body.fallbackText } : {}),
  };
}

function replay(
  ledger: ChatLedger,
  webhook: ChatWebhook,
  { query, rawBody }: IncomingPost,
  { echo }: Reading,
): Receipt | undefined {
  const requestId = query.get('requestId');
  const known = requestId ? ledger.knownRequest(webhook, requestId) : undefined;
  if (!known) {
    return undefined;
  }
  return { kind: 'replayed', answer: messageAnswer(known, echo), sameBody: known.bodyDigest === digest(rawBody) };
}

function chooseThread(
  ledger: ChatLedger,
  webhook: ChatWebhook,
  { query }: IncomingPost,
  message: ChatMessage,
): Checked<{ name: string; isNew: boolean; key: string | undefined }> {
  const option = query.get('messageReplyOption') ?? 'MESSAGE_REPLY_OPTION_UNSPECIFIED';
  const key = message.thread?.threadKey ?? query.get('threadKey') ?? undefined;
  if (!replyOptions.includes(option)) {
    return refuse(
      invalidField(
        'message_reply_option',
        `Invalid value at 'message_reply_option' (type.googleapis.com/google.chat.v1.CreateMessageRequest.MessageReplyOption), "${option}"`,
      ),
    );
  }
  const wantsReply = option !== 'MESSAGE_REPLY_OPTION_UNSPECIFIED';
  if (wantsReply && key === undefined) {
    return refuse(invalidField('message.thread', 'A message reply option needs a thread.'));
  }
  if ((wantsReply || key !== undefined) && ledger.space(webhook.spaceId)?.threading === 'unthreaded') {
    return refuse(invalidField('message.thread', 'This space does not support threads.'));
  }
  const found = wantsReply && key !== undefined ? ledger.thread(webhook, key) : undefined;
  if (found !== undefined) {
    return { kind: 'ok', value: { name: found, isNew: false, key } };
  }
  if (option === 'REPLY_MESSAGE_OR_FAIL') {
    return refuse(errorAnswer(404));
  }
  // Without a reply option the thread key is ignored: each message starts a thread of its own.
  return { kind: 'ok', value: { name: ledger.openThread(webhook, wantsReply ? key : undefined), isNew: true, key } };
}

interface Keeping {
  readonly ledger: ChatLedger;
  readonly webhook: ChatWebhook;
  readonly post: IncomingPost;
  readonly reading: Reading;
  readonly thread: { readonly name: string; readonly isNew: boolean; readonly key: string | undefined };
  readonly settings: ReceiverSettings;
}

function keep({ ledger, webhook, post, reading, thread, settings }: Keeping): Receipt {
  const name = messageName(thread.name, thread.isNew);
  const requestId = post.query.get('requestId') ?? undefined;
  const posted = { name, threadName: thread.name, createdAt: post.atMs };
  if (requestId !== undefined) {
    ledger.rememberRequest(webhook, requestId, { ...posted, bodyDigest: digest(post.rawBody) });
  }
  ledger.count(webhook.spaceId);
  if (settings.keepBodies) {
    const { text, cardsV2 = [], fallbackText } = reading.message;
    const content = { text, cardsV2, fallbackText, message: reading.message, rawBody: post.rawBody };
    ledger.keep({ ...posted, ...content, spaceId: webhook.spaceId, threadKey: thread.key, requestId, webhookName: webhook.name });
  }
  return { kind: 'posted', answer: messageAnswer(posted, reading.echo) };
}

function messageAnswer(
  { name, threadName, createdAt }: { name: string; threadName: string; createdAt: number },
  echo: object,
): ChatAnswer {
  const sentThread = 'thread' in echo && typeof echo.thread === 'object' ? echo.thread : {};
  return jsonAnswer(200, {
    ...echo,
    name,
    thread: { ...sentThread, name: threadName },
    createTime: new Date(createdAt).toISOString(),
  });
}

function refuse(answer: ChatAnswer): { readonly kind: 'refused'; readonly answer: ChatAnswer } {
  return { kind: 'refused', answer };
}
