import { hash } from 'node:crypto';
import { MAX_TAG_LENGTH } from '../shared/shared-store.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';

/** Whose keys to forget: exactly one of the three. */
export type InvalidationTarget =
  | { readonly keyId: string; readonly orgCode?: never; readonly userId?: never }
  | { readonly orgCode: string; readonly keyId?: never; readonly userId?: never }
  | { readonly userId: string; readonly keyId?: never; readonly orgCode?: never };

const FIELDS = ['keyId', 'orgCode', 'userId'] as const;

/** The tag of a invalidation that means every key. */
export const EVERY_KEY = '*';

/**
 * @returns what a invalidation for the target is called
 * @throws {TypeError} when the target is not exactly one of the three, with a text that is not empty
 */
export function tagOf(target: InvalidationTarget): string {
  const given = FIELDS.filter((field) => target?.[field] !== undefined);
  const field = given[0];
  const wanted = field && target[field];
  if (given.length !== 1 || !field || typeof wanted !== 'string' || wanted === '') {
    throw new TypeError(
      'invalidate() takes exactly one of { keyId }, { orgCode } and { userId }, with a text that is not empty',
    );
  }
  return tag(field, wanted);
}

/** @returns every tag that means the key */
export function tagsOf(apiKey: VerifiedApiKey): string[] {
  const tags = [EVERY_KEY];
  for (const field of FIELDS) {
    const value = apiKey[field];
    if (value !== null) tags.push(tag(field, value));
  }
  return tags;
}

function tag(field: string, value: string): string {
  const name = `${field}:${value}`;
  // A name can be of any length and hold anything: what does not fit stands by its hash.
  return name.length <= MAX_TAG_LENGTH && /^[\x21-\x7e]+$/.test(name)
    ? name
    : `${field}#${hash('sha256', value, 'base64url')}`;
}
