import { hash } from 'node:crypto';
import { MAX_TAG_LENGTH } from '../shared/shared-store.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';

/** The keys to invalidate, by exactly one of key id, organization and user. */
export type InvalidationTarget =
  | { readonly keyId: string; readonly orgCode?: never; readonly userId?: never }
  | { readonly orgCode: string; readonly keyId?: never; readonly userId?: never }
  | { readonly userId: string; readonly keyId?: never; readonly orgCode?: never };

const FIELDS = ['keyId', 'orgCode', 'userId'] as const;

/** The tag that matches every key. */
export const EVERY_KEY = '*';

/**
 * Returns the tag of the keys to invalidate.
 *
 * @throws {TypeError} when the target is not exactly one of the three fields with a non-empty text
 */
export function tagOf(target: InvalidationTarget): string {
  const given = FIELDS.filter((field) => target?.[field] !== undefined);
  const field = given[0];
  const wanted = field && target[field];
  if (given.length !== 1 || !field || typeof wanted !== 'string' || wanted === '') {
    throw new TypeError(
      'invalidate() takes exactly one of { keyId }, { orgCode } and { userId }, with a non-empty text',
    );
  }
  return tag(field, wanted);
}

/** Returns every tag that matches the key. */
export function tagsOf(apiKey: VerifiedApiKey): string[] {
  const own = FIELDS.flatMap((field) => (apiKey[field] === null ? [] : tag(field, apiKey[field])));
  return [EVERY_KEY, ...own];
}

function tag(field: string, value: string): string {
  const name = `${field}:${value}`;
  // A name may have any length and characters. One that does not fit is replaced by its hash.
  return name.length <= MAX_TAG_LENGTH && /^[\x21-\x7e]+$/.test(name)
    ? name
    : `${field}#${hash('sha256', value, 'base64url')}`;
}
