import { RawKey, SHORTEST_KEY } from '../api-key/raw-key.js';
import type { ApiKeyCredential } from '../config/credential-options.js';
import type { HttpRequest } from '../rules/http-request.js';

/** Why a request does not carry a key that Kinde could be asked about. */
export type CredentialRefusal = 'MISSING_KEY' | 'MALFORMED_REQUEST' | 'WRONG_CREDENTIAL_TYPE' | 'WRONG_KEY_PREFIX';

/** The key of a request, or why it is refused. */
export type CredentialResult = RawKey | CredentialRefusal;

// A JSON object in base64url starts with "ey"; a JWS has three parts, a JWE five (RFC 7515 §3.1, RFC 7516 §3.1).
const JWT = /^ey[\w-]*(\.[\w-]*){2}((\.[\w-]*){2})?$/;

/** Reads the key of a request from the configured headers. */
export class CredentialReader {
  readonly #credentials: readonly ApiKeyCredential[];
  readonly #prefixes: readonly string[];
  /** Headers that may carry a key and that shared caches do not know as such. */
  readonly uncommonHeaders: readonly string[];

  /**
   * @param credentials headers that may carry a key; names in lower case, without duplicates
   * @param prefixes how a key must start; empty: any prefix
   */
  constructor(credentials: readonly ApiKeyCredential[], prefixes: readonly string[]) {
    this.#credentials = credentials;
    this.#prefixes = prefixes;
    this.uncommonHeaders = credentials.map(({ header }) => header).filter((header) => header !== 'authorization');
  }

  /** @returns the key, or a refusal; two credentials are refused, whichever of them is good */
  read(request: HttpRequest): CredentialResult {
    let found: CredentialResult = 'MISSING_KEY';
    for (const { header, scheme } of this.#credentials) {
      const value = headerValue(request, header);
      if (value === undefined) continue;
      const result = value === null ? 'MALFORMED_REQUEST' : this.#parse(value, scheme);
      if (result === 'MISSING_KEY') continue;
      if (found !== 'MISSING_KEY') return 'MALFORMED_REQUEST';
      found = result;
    }
    return found;
  }

  /** Returns the names of the headers in which a request carries a credential, to say why several were refused. */
  headersWithCredential(request: HttpRequest): string[] {
    return this.#credentials
      .filter(({ header, scheme }) => {
        const value = headerValue(request, header);
        return value === null || (value !== undefined && this.#parse(value, scheme) !== 'MISSING_KEY');
      })
      .map(({ header }) => header);
  }

  #parse(value: string, scheme: string | undefined): CredentialResult {
    if (scheme === undefined) return this.#classify(value);
    if (value === '') return 'MALFORMED_REQUEST';
    const { length } = scheme;
    const isOtherWord = value.length > length && value[length] !== ' ';
    if (!isOtherWord && (value.startsWith(scheme) || value.slice(0, length).toLowerCase() === scheme.toLowerCase())) {
      // Spaces separate the two (RFC 9110 §11.4); the other characters that `trimStart` drops do not.
      let start = length;
      while (value[start] === ' ') start += 1;
      return this.#classify(value.slice(start));
    }
    // A word that is too short for a key is a scheme without credentials (`Negotiate`); a longer one is a key without its scheme.
    return !value.includes(' ') && value.length >= SHORTEST_KEY ? 'MALFORMED_REQUEST' : 'MISSING_KEY';
  }

  #classify(token: string): CredentialResult {
    if (token.startsWith('ey') && JWT.test(token)) return 'WRONG_CREDENTIAL_TYPE';
    const key = RawKey.parse(token);
    if (!key) return 'MALFORMED_REQUEST';
    const hasPrefix = this.#prefixes.length === 0 || this.#prefixes.some((prefix) => token.startsWith(prefix));
    return hasPrefix ? key : 'WRONG_KEY_PREFIX';
  }
}

/**
 * Reads a header as it was sent. Node hides a second `Authorization` and joins others with commas, so the raw list is read first.
 *
 * @returns the value, `undefined` if the header is absent, `null` if it was sent more than once
 */
export function headerValue(request: HttpRequest, name: string): string | null | undefined {
  const raw = request.rawHeaders ?? request.raw?.rawHeaders;
  // Requests that an adapter makes without a socket (serverless ones) have no raw list, or an empty one.
  if (!Array.isArray(raw) || raw.length === 0) return joinedHeaderValue(request.headers, name);
  let value: string | undefined;
  for (let index = 0; index < raw.length; index += 2) {
    const candidate: unknown = raw[index];
    if (typeof candidate !== 'string' || candidate.length !== name.length) continue;
    if (candidate !== name && candidate.toLowerCase() !== name) continue;
    const given: unknown = raw[index + 1];
    if (value !== undefined || typeof given !== 'string') return null;
    value = given;
  }
  return value;
}

function joinedHeaderValue(headers: unknown, name: string): string | null | undefined {
  if (typeof headers !== 'object' || headers === null || !Object.hasOwn(headers, name)) return undefined;
  const value: unknown = (headers as Readonly<Record<string, unknown>>)[name];
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : null;
}
