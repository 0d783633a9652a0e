import type { ApiKeyCredential } from '../config/credential-options.js';
import { couldBeKey, LONGEST_KEY, SHORTEST_KEY } from '../api-key/raw-key.js';
import type { HttpRequest } from '../rules/http-request.js';

/** Why a request carries no key that could be asked about. */
export type CredentialRefusal = 'MISSING_KEY' | 'MALFORMED_REQUEST' | 'WRONG_CREDENTIAL_TYPE' | 'WRONG_KEY_PREFIX';

/** What a request carries as its raw key, or why there is none that could be asked about. */
export type CredentialReading = { readonly rawKey: string } | { readonly refusal: CredentialRefusal };

const MISSING: CredentialReading = Object.freeze({ refusal: 'MISSING_KEY' });
const MALFORMED: CredentialReading = Object.freeze({ refusal: 'MALFORMED_REQUEST' });
const WRONG_TYPE: CredentialReading = Object.freeze({ refusal: 'WRONG_CREDENTIAL_TYPE' });
const WRONG_PREFIX: CredentialReading = Object.freeze({ refusal: 'WRONG_KEY_PREFIX' });

// A JSON object in base64url starts with "ey"; a JWS has three parts, a JWE five (RFC 7515 §3.1, RFC 7516 §3.1).
const JWT = /^ey[\w-]*(\.[\w-]*){2}((\.[\w-]*){2})?$/;

/** A credential, and how a header starts that carries it in the configured spelling, as nearly all do. */
interface CredentialPlace extends Pick<ApiKeyCredential, 'header'> {
  readonly scheme: string | undefined;
  readonly usualStart: string;
}

/** Finds the one key of a request in the places that are configured. */
export class CredentialReader {
  readonly #places: readonly CredentialPlace[];
  readonly #prefixes: readonly string[];

  /**
   * @param credentials where a key may stand; header names in lower case, none of them twice
   * @param prefixes how a key must start; empty: any way
   */
  constructor(credentials: readonly ApiKeyCredential[], prefixes: readonly string[]) {
    this.#places = credentials.map(({ header, scheme }) => ({ header, scheme, usualStart: `${scheme} ` }));
    this.#prefixes = prefixes;
  }

  /**
   * @returns the raw key, or why there is none that could be asked about. Which characters it has is left to {@link couldBeKey}: where it is
   * remembered, that was looked at before
   */
  read(request: HttpRequest): CredentialReading {
    let found = MISSING;
    for (const place of this.#places) {
      const value = headerValue(request, place.header);
      if (value === undefined) continue;
      const reading = value === null ? MALFORMED : this.#parse(value, place);
      if (reading === MISSING) continue;
      if (found !== MISSING) return MALFORMED;
      found = reading;
    }
    return found;
  }

  #parse(value: string, { scheme, usualStart }: CredentialPlace): CredentialReading {
    if (scheme === undefined) return this.#judge(value);
    if (value.startsWith(usualStart)) return this.#judge(withoutSpacesBefore(value.slice(usualStart.length)));
    if (value === '') return MALFORMED;
    const space = value.indexOf(' ');
    const firstWord = space === -1 ? value : value.slice(0, space);
    if (firstWord.length === scheme.length && firstWord.toLowerCase() === scheme.toLowerCase()) {
      return this.#judge(space === -1 ? '' : withoutSpacesBefore(value.slice(space)));
    }
    // A word that is too short for a key is a scheme without credentials (`Negotiate`); a longer one is a key without its scheme.
    return space === -1 && value.length >= SHORTEST_KEY ? MALFORMED : MISSING;
  }

  #judge(token: string): CredentialReading {
    if (token.startsWith('ey') && JWT.test(token)) return WRONG_TYPE;
    if (token.length < SHORTEST_KEY || token.length > LONGEST_KEY) return MALFORMED;
    if (this.#hasPrefix(token)) return { rawKey: token };
    return couldBeKey(token) ? WRONG_PREFIX : MALFORMED;
  }

  #hasPrefix(token: string): boolean {
    return this.#prefixes.length === 0 || this.#prefixes.some((prefix) => token.startsWith(prefix));
  }
}

/** Between a scheme and its credentials stand spaces (RFC 9110 §11.4), and none of the other characters that `trimStart` takes for one. */
function withoutSpacesBefore(text: string): string {
  return text.startsWith(' ') ? text.replace(/^ +/, '') : text;
}

/**
 * Reads a header as it was sent. Node hides a second `Authorization` and joins others with commas, so its raw list is asked first.
 *
 * @returns the value, `undefined` where there is none, `null` where there are several
 */
function headerValue(request: HttpRequest, name: string): string | null | undefined {
  const raw = request.rawHeaders ?? request.raw?.rawHeaders;
  // Requests that are made by an adapter and not by a socket (serverless ones) have no raw list, or an empty one.
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
