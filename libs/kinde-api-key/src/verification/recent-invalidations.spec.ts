import { createHash } from 'node:crypto';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import { tagOf, tagsOf } from './invalidation.js';
import { RecentInvalidations } from './recent-invalidations.js';

const KEY = verifiedKey();
const NOW_MS = 1_000_000;
const SKEW_MS = 2_000;

describe('RecentInvalidations', () => {
  it('is newer than a call that was sent before the invalidation, or within the clock skew after it', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    invalidations.apply({ tag: 'keyId:api_key_1', atMs: NOW_MS }, NOW_MS);
    expect(invalidations.isNewerThan(KEY, NOW_MS - 1)).toBe(true);
    expect(invalidations.isNewerThan(KEY, NOW_MS + SKEW_MS)).toBe(true);
    expect(invalidations.isNewerThan(KEY, NOW_MS + SKEW_MS + 1)).toBe(false);
    expect(invalidations.isNewerThan({ ...KEY, keyId: 'api_key_2' }, NOW_MS)).toBe(false);
  });

  it('is not newer than a call of this instance that was sent after the invalidation was applied', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    invalidations.apply({ tag: '*', atMs: NOW_MS }, NOW_MS);
    const { sequence } = invalidations;
    expect(invalidations.isNewerThan(KEY, NOW_MS, sequence)).toBe(false);
    invalidations.apply({ tag: 'orgCode:org_a', atMs: NOW_MS }, NOW_MS);
    expect(invalidations.isNewerThan(KEY, NOW_MS, sequence)).toBe(true);
  });

  it('applies an invalidation once, and a later one of the same tag again', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    expect(invalidations.apply({ tag: 'a', atMs: NOW_MS }, NOW_MS)).toBe(true);
    expect(invalidations.apply({ tag: 'a', atMs: NOW_MS }, NOW_MS + 5)).toBe(false);
    expect(invalidations.apply({ tag: 'a', atMs: NOW_MS - 1 }, NOW_MS + 5)).toBe(false);
    expect(invalidations.apply({ tag: 'a', atMs: NOW_MS }, NOW_MS + 5, true)).toBe(true);
    expect(invalidations.apply({ tag: 'a', atMs: NOW_MS + 1 }, NOW_MS + 5)).toBe(true);
  });

  it('applies an invalidation from the future as one of now, which does not hide later ones', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    invalidations.apply({ tag: '*', atMs: Number.MAX_SAFE_INTEGER }, NOW_MS);
    expect(invalidations.isNewerThan(KEY, NOW_MS + SKEW_MS + 1)).toBe(false);
    expect(invalidations.apply({ tag: '*', atMs: Number.MAX_SAFE_INTEGER }, NOW_MS + 5_000)).toBe(false);
    expect(invalidations.apply({ tag: '*', atMs: NOW_MS }, NOW_MS + 5_000)).toBe(false);
    expect(invalidations.apply({ tag: '*', atMs: NOW_MS + 1 }, NOW_MS + 5_000)).toBe(true);
  });

  it('drops the invalidation that was applied first beyond 10,000', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    invalidations.apply({ tag: 'keyId:api_key_1', atMs: NOW_MS }, NOW_MS);
    for (let index = 1; index < 10_000; index += 1) invalidations.apply({ tag: `m${index}`, atMs: NOW_MS }, NOW_MS);
    expect(invalidations.isNewerThan(KEY, NOW_MS)).toBe(true);
    invalidations.apply({ tag: 'orgCode:org_b', atMs: NOW_MS }, NOW_MS);
    expect(invalidations.isNewerThan(KEY, NOW_MS)).toBe(false);
    expect(invalidations.isNewerThan({ ...KEY, orgCode: 'org_b' }, NOW_MS)).toBe(true);
  });

  it('is newer than a call when an invalidation after the call was dropped', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    invalidations.apply({ tag: 'orgCode:org_b', atMs: NOW_MS }, NOW_MS);
    const { sequence } = invalidations;
    for (let index = 0; index <= 10_000; index += 1) invalidations.apply({ tag: `m${index}`, atMs: NOW_MS }, NOW_MS);
    expect(invalidations.isNewerThan(KEY, NOW_MS, sequence)).toBe(true);
    expect(invalidations.isNewerThan(KEY, NOW_MS, sequence + 1)).toBe(false);
  });

  it('keeps the later time of two invalidations of a tag when the clock is set back between them', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    invalidations.apply({ tag: '*', atMs: NOW_MS }, NOW_MS, true);
    invalidations.apply({ tag: '*', atMs: NOW_MS - 60_000 }, NOW_MS - 60_000, true);
    expect(invalidations.isNewerThan(KEY, NOW_MS - 1, 0)).toBe(true);
  });
});

describe('tags', () => {
  it('have visible ASCII characters and a bounded length, equal for a target and its keys', () => {
    for (const orgCode of ['org_a', 'org ö', 'x'.repeat(10_000), '*', '\n']) {
      const tag = tagOf({ orgCode });
      expect(tag).toMatch(/^orgCode[:#][\x21-\x7e]{1,292}$/);
      expect(tagsOf({ ...KEY, orgCode, userId: 'kp_1' })).toEqual(['*', 'keyId:api_key_1', tag, 'userId:kp_1']);
    }
    expect(tagsOf({ ...KEY, orgCode: null })).toEqual(['*', 'keyId:api_key_1']);
  });

  it.each([
    ['of the maximum length', 'x'.repeat(292), true],
    ['beyond the maximum length', 'x'.repeat(293), false],
    ['with the first and the last visible character', '!_~', true],
    ['that starts with another character', '\x7forg', false],
    ['with another character in the middle', 'org a', false],
    ['that ends with another character', 'org_\u00e4', false],
  ])('contain a name %s, or its hash', (_what, orgCode, isAsItIs) => {
    const hashed = `orgCode#${createHash('sha256').update(orgCode).digest('base64url')}`;
    expect(tagOf({ orgCode })).toBe(isAsItIs ? `orgCode:${orgCode}` : hashed);
  });
});
