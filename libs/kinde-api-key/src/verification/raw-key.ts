import { hash } from 'node:crypto';

/** RFC 6750 §2.1 `b64token`, in the lengths that a key can have: 16 to 512 characters. */
const POSSIBLE_KEY = /^(?=.{16,512}$)[A-Za-z0-9\-._~+/]+=*$/;

/** @returns whether a text has the form of a key, so that Kinde may be asked about it */
export function couldBeKey(text: string): boolean {
  return POSSIBLE_KEY.test(text);
}

/**
 * @returns the SHA-256 of a raw key as 32 one-byte characters: what the library remembers in place of the key. A key has far more
 * entropy than can be searched, so a salt would add nothing.
 */
export function digestOf(rawKey: string): string {
  return hash('sha256', rawKey, 'binary');
}
