/** A Google Chat webhook's URL: taken apart into its three parts and rebuilt, so that no user's text ever reaches fetch. */

export interface ChatUrlParts {
  readonly spaceId: string;
  readonly key: string;
  readonly token: string;
}

export type ParsedChatUrl =
  { readonly kind: 'parts'; readonly parts: ChatUrlParts } | { readonly kind: 'problem'; readonly message: string };

const PATH = /^\/v1\/spaces\/([A-Za-z0-9_-]{1,128})\/messages$/;
const MAX_PARAMETER_LENGTH = 512;

/**
 * Reads a pasted URL. `origin` is `GOOGLE_CHAT_ORIGIN`, the only one accepted. `&amp;` and `&#38;` (copied out of HTML) are
 * understood; other parameters (`threadKey`, ...) are dropped. A problem's message is for the reader and never quotes the URL.
 */
export function parseChatUrl(text: string, origin: string): ParsedChatUrl {
  const unescaped = text.trim().replace(/&(amp|#38|#x26);/gi, '&');
  // Control characters and backslashes are dropped or bent by the URL parser: what is stored must be what was read.
  if (/[\s\\]|\p{Cc}/u.test(unescaped) || !URL.canParse(unescaped)) return refuse('This is no web address.');
  const url = new URL(unescaped);
  if (url.origin !== origin) return refuse(`A Google Chat webhook begins with ${origin}/v1/spaces/.`);
  if (url.username !== '' || url.password !== '') return refuse('The address must not have a user name or password.');
  const spaceId = PATH.exec(url.pathname)?.[1];
  if (spaceId === undefined) return refuse('The path of a Google Chat webhook is /v1/spaces/{space}/messages.');
  const key = onlyParameter(url, 'key');
  const token = onlyParameter(url, 'token');
  if (key === null || token === null) {
    return refuse('The address must have exactly one key and one token: copy the whole link from Google Chat.');
  }
  return { kind: 'parts', parts: { spaceId, key, token } };
}

/** The address to post to; `parameters` such as `requestId` and `messageReplyOption` come after key and token. */
export function buildChatUrl(
  origin: string,
  { spaceId, key, token }: ChatUrlParts,
  parameters: Readonly<Record<string, string>> = {},
): string {
  const query = new URLSearchParams({ key, token, ...parameters });
  return `${origin}/v1/spaces/${encodeURIComponent(spaceId)}/messages?${query.toString()}`;
}

/** What may be shown of a webhook: its space, nothing of its key and token. */
export function maskChatUrl(origin: string, spaceId: string): string {
  return `${origin}/v1/spaces/${spaceId}/messages?key=••••&token=••••`;
}

function refuse(message: string): ParsedChatUrl {
  return { kind: 'problem', message };
}

function onlyParameter(url: URL, name: string): string | null {
  const values = url.searchParams.getAll(name);
  const [value] = values;
  if (values.length !== 1 || value === undefined || value === '' || value.length > MAX_PARAMETER_LENGTH) return null;
  return /[\p{Cc}\s]/u.test(value) ? null : value;
}
