import { hash } from 'node:crypto';

/** RFC 6750 §2.1 `b64token`. */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** Minimum number of characters of a raw key. */
export const SHORTEST_KEY = 16;
/** Maximum number of characters of a raw key. */
export const LONGEST_KEY = 512;

/** A well-formed raw key and its digest. Printing or serializing it does not show the text. */
export class RawKey {
  /** SHA-256 of the text as 32 one-byte characters: what the library stores in place of the key. A key has too much entropy for a salt to add any. */
  readonly digest: string;
  // Private to the language: neither `console.log` nor `JSON.stringify` shows it.
  readonly #text: string;

  private constructor(text: string) {
    this.digest = hash('sha256', text, 'binary');
    this.#text = text;
  }

  /**
   * Parses and hashes what a request carries, once. Callers without a compiler may pass any value.
   *
   * @param text the key without a scheme
   * @returns `undefined` for anything but a `b64token` of {@link SHORTEST_KEY} to {@link LONGEST_KEY} characters
   */
  static parse(text: unknown): RawKey | undefined {
    if (typeof text !== 'string' || text.length < SHORTEST_KEY || text.length > LONGEST_KEY) return undefined;
    return B64TOKEN.test(text) ? new RawKey(text) : undefined;
  }

  /** Returns the secret text. Only a call to Kinde needs it. */
  reveal(): string {
    return this.#text;
  }
}
