// The answers of the Chat API to a webhook: statuses and bodies as Google words them (google.rpc.Status).
export interface ChatAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const statusNames: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

const statusMessages: Readonly<Record<number, string>> = {
  400: 'Request contains an invalid argument.',
  401: 'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
  403: 'The caller does not have permission',
  404: 'Requested entity was not found.',
  429: "Quota exceeded for quota metric 'Space writes' and limit 'Space writes per second per space' of service 'chat.googleapis.com'.",
  500: 'Internal error encountered.',
  503: 'The service is currently unavailable.',
  504: 'Deadline expired before operation could complete.',
};

export function jsonAnswer(status: number, body: object): ChatAnswer {
  return { status, headers: { 'content-type': 'application/json; charset=UTF-8' }, body: JSON.stringify(body) };
}

/** An error as Google wraps it: `{error: {code, message, status, details?}}`. */
export function errorAnswer(status: number, message?: string, details?: readonly object[]): ChatAnswer {
  const error = {
    code: status,
    message: message ?? statusMessages[status] ?? `Error ${status}`,
    status: statusNames[status] ?? 'UNKNOWN',
    ...(details ? { details } : {}),
  };
  return jsonAnswer(status, { error });
}

export function invalidField(field: string, description: string): ChatAnswer {
  return errorAnswer(400, description, [
    { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field, description }] },
  ]);
}

export function notJson(): ChatAnswer {
  return errorAnswer(400, 'Invalid JSON payload received. Unexpected token.');
}

export function keyMissing(): ChatAnswer {
  return errorAnswer(
    403,
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
  );
}

export function keyInvalid(): ChatAnswer {
  return errorAnswer(400, 'API key not valid. Please pass a valid API key.', [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
      metadata: { service: 'chat.googleapis.com' },
    },
  ]);
}

export function tokenInvalid(): ChatAnswer {
  return errorAnswer(
    403,
    'The API is called without a valid token. Instructions on how to use incoming webhooks can be found at https://developers.google.com/workspace/chat/quickstart/webhooks.',
  );
}

/** A path that is no method of the API: Google's front end answers in HTML. */
export function wrongPath(): ChatAnswer {
  return { status: 404, headers: { 'content-type': 'text/html; charset=UTF-8' }, body: '<h1>Not Found</h1><h2>Error 404</h2>' };
}
