import { hash } from 'node:crypto';

/** RFC 6750 §2.1 `b64token`. The length is no part of it: looking ahead for it takes as long as the rest. */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** How many characters a key has at least. */
export const SHORTEST_KEY = 16;
/** How many characters a key has at most. */
export const LONGEST_KEY = 512;

/** @returns whether a text has the form of a key, so that Kinde may be asked about it: a `b64token` of 16 to 512 characters */
export function couldBeKey(text: string): boolean {
  if (typeof text !== 'string') return false; // callers without a compiler
  return text.length >= SHORTEST_KEY && text.length <= LONGEST_KEY && B64TOKEN.test(text);
}

/**
 * @returns the SHA-256 of a raw key as 32 one-byte characters: what the library remembers in place of the key. A key has far more
 * entropy than can be searched, so a salt would add nothing.
 */
export function digestOf(rawKey: string): string {
  return hash('sha256', rawKey, 'binary');
}

/** A key as a request carried it: well-formed, and hashed once. Its text is not visible to `util.inspect` and `JSON.stringify`. */
export class RawKey {
  readonly #text: string;
  /** SHA-256 of the key as 32 one-byte characters. */
  readonly digest: string;

  private constructor(text: string) {
    this.#text = text;
    this.digest = digestOf(text);
  }

  /** @returns the key, or `undefined` for anything but a `b64token` of 16 to 512 characters */
  static parse(text: unknown): RawKey | undefined {
    return couldBeKey(text as string) ? new RawKey(text as string) : undefined;
  }

  /** @returns the key's text, for the call to Kinde alone */
  reveal(): string {
    return this.#text;
  }
}
