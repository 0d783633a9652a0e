import type { VerifiedApiKey } from '../verified-api-key.js';

/** Whose keys to forget: exactly one of the three. */
export type InvalidationTarget =
  | { readonly keyId: string; readonly orgCode?: never; readonly userId?: never }
  | { readonly orgCode: string; readonly keyId?: never; readonly userId?: never }
  | { readonly userId: string; readonly keyId?: never; readonly orgCode?: never };

const FIELDS = ['keyId', 'orgCode', 'userId'] as const;

/**
 * @returns whether a key is meant by the target
 * @throws {TypeError} when the target is not exactly one of the three, with a text that is not empty
 */
export function matcherOf(target: InvalidationTarget): (apiKey: VerifiedApiKey) => boolean {
  const given = FIELDS.filter((field) => target?.[field] !== undefined);
  const field = given[0];
  const wanted = field && target[field];
  if (given.length !== 1 || !field || typeof wanted !== 'string' || wanted === '') {
    throw new TypeError(
      'invalidate() takes exactly one of { keyId }, { orgCode } and { userId }, with a text that is not empty',
    );
  }
  return (apiKey) => apiKey[field] === wanted;
}
