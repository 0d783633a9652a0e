import { hash } from 'node:crypto';

/** RFC 6750 §2.1 `b64token`. */
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** Minimum number of characters of a raw key. */
export const SHORTEST_KEY = 16;
/** Maximum number of characters of a raw key. */
export const LONGEST_KEY = 512;

/** A well-formed raw key and its digest. The text is private, so that printing or serializing the object does not reveal it. */
export class RawKey {
  /**
   * SHA-256 of the text as 32 one-byte characters. The library stores it in place of the key. It is not salted: a key has too much entropy
   * to be searched for.
   */
  readonly digest: string;
  readonly #text: string;

  private constructor(text: string) {
    this.digest = hash('sha256', text, 'binary');
    this.#text = text;
  }

  /**
   * Parses what a request carries. Callers without a compiler may pass any value.
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
