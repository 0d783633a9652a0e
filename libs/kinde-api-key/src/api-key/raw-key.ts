import { hash } from 'node:crypto';

/** RFC 6750 §2.1 `b64token`. The length is no part of it: looking ahead for it takes as long as the rest. */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** Minimum number of characters of a key. */
export const SHORTEST_KEY = 16;
/** Maximum number of characters of a key. */
export const LONGEST_KEY = 512;

/** A key as the caller sent it, with a well-formed text. The text is out of reach of `util.inspect` and `JSON.stringify`. */
export class RawKey {
  readonly #text: string;
  /** SHA-256 of the key as 32 one-byte characters. A key has too much entropy to be searched, so a salt would add nothing. */
  readonly digest: string;

  private constructor(text: string) {
    this.#text = text;
    this.digest = hash('sha256', text, 'binary');
  }

  /** @returns the key, or `undefined` for anything but a `b64token` of 16 to 512 characters */
  static parse(text: unknown): RawKey | undefined {
    if (typeof text !== 'string' || text.length < SHORTEST_KEY || text.length > LONGEST_KEY) return undefined;
    return B64TOKEN.test(text) ? new RawKey(text) : undefined;
  }

  /** @returns the key itself, to be sent to Kinde and nowhere else */
  reveal(): string {
    return this.#text;
  }
}
