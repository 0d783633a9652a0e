import type { ApiKeyCredential } from '../config/credential-options.js';
import type { HttpRequest } from '../rules/http-request.js';

/** The part of Node's request that a call over a connection needs. */
interface ConnectionRequest extends HttpRequest {
  readonly socket?: { readonly remoteAddress?: unknown };
}

const ABSENT: PropertyDescriptor = { value: undefined };

/**
 * Returns a view of the HTTP request behind a call. Only `args` belong to the call: a client can put anything into the query and the body that
 * carry it, so an organization must not be read there.
 *
 * @param request of the framework, or the one that opened the connection
 */
export function callRequest(request: HttpRequest, args: unknown, own: PropertyDescriptorMap = {}): HttpRequest {
  const fields = { params: ABSENT, query: ABSENT, body: ABSENT, args: { value: args }, ...own };
  return Object.create(request, fields) as HttpRequest;
}

/**
 * Returns a view of the request that opened a connection, with the credentials that the client sent by other means: browsers cannot set
 * headers there.
 *
 * @param given what the client sent, e.g. `connectionParams`; of any shape
 * @param credentials whose headers count in it, by their names. A header and an entry of one name are two credentials
 */
export function connectionRequest(
  request: HttpRequest,
  args: unknown,
  given: unknown,
  credentials: readonly ApiKeyCredential[],
): HttpRequest {
  const { rawHeaders, raw, headers, ip, socket } = request as ConnectionRequest;
  const sent = rawHeaders ?? raw?.rawHeaders;
  const list: readonly unknown[] = Array.isArray(sent) && sent.length > 0 ? sent : Object.entries(headers ?? {}).flat();
  return callRequest(request, args, {
    rawHeaders: { value: [...list, ...credentialsIn(given, credentials)] },
    ip: { value: ip ?? socket?.remoteAddress },
  });
}

function credentialsIn(given: unknown, credentials: readonly ApiKeyCredential[]): unknown[] {
  const names = credentials.map(({ header }) => header);
  if (typeof given !== 'object' || given === null) return [];
  return Object.entries(given)
    .filter(([name, value]) => names.includes(name.toLowerCase()) && value !== undefined && value !== null)
    .flat();
}

/** Whether a request opened a connection. Nothing that it carries is renewed later. */
export function opensConnection({ headers }: HttpRequest): boolean {
  const upgrade = (headers as { readonly upgrade?: unknown } | undefined)?.upgrade;
  return typeof upgrade === 'string' && upgrade.toLowerCase() === 'websocket';
}
