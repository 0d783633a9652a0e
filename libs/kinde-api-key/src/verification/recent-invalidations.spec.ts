import { createHash } from 'node:crypto';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { tagOf, tagsOf } from './invalidation.js';
import { RecentInvalidations } from './recent-invalidations.js';

const KEY: VerifiedApiKey = {
  keyId: 'api_key_1',
  scopes: [],
  orgCode: 'org_a',
  userId: null,
  ownerType: 'organization',
  lastVerifiedOn: null,
  verificationCount: null,
};
const NOW_MS = 1_000_000;
const SKEW_MS = 2_000;

describe('invalidations', () => {
  it('overtake what was sent before them, or so shortly after that the clocks cannot tell', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    invalidations.apply({ tag: 'keyId:api_key_1', atMs: NOW_MS }, NOW_MS);
    expect(invalidations.isNewerThan(KEY, NOW_MS - 1)).toBe(true);
    expect(invalidations.isNewerThan(KEY, NOW_MS + SKEW_MS)).toBe(true);
    expect(invalidations.isNewerThan(KEY, NOW_MS + SKEW_MS + 1)).toBe(false);
    expect(invalidations.isNewerThan({ ...KEY, keyId: 'api_key_2' }, NOW_MS)).toBe(false);
  });

  it('do not overtake a call of our own that was sent when they were known', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    invalidations.apply({ tag: '*', atMs: NOW_MS }, NOW_MS);
    const { sequence } = invalidations;
    expect(invalidations.isNewerThan(KEY, NOW_MS, sequence)).toBe(false);
    invalidations.apply({ tag: 'orgCode:org_a', atMs: NOW_MS }, NOW_MS);
    expect(invalidations.isNewerThan(KEY, NOW_MS, sequence)).toBe(true);
  });

  it('are news once, and again when they are later', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    expect(invalidations.apply({ tag: 'a', atMs: NOW_MS }, NOW_MS)).toBe(true);
    expect(invalidations.apply({ tag: 'a', atMs: NOW_MS }, NOW_MS + 5)).toBe(false);
    expect(invalidations.apply({ tag: 'a', atMs: NOW_MS - 1 }, NOW_MS + 5)).toBe(false);
    expect(invalidations.apply({ tag: 'a', atMs: NOW_MS }, NOW_MS + 5, true)).toBe(true);
    expect(invalidations.apply({ tag: 'a', atMs: NOW_MS + 1 }, NOW_MS + 5)).toBe(true);
  });

  it('from the future are of now, and do not hide later ones', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    invalidations.apply({ tag: '*', atMs: Number.MAX_SAFE_INTEGER }, NOW_MS);
    expect(invalidations.isNewerThan(KEY, NOW_MS + SKEW_MS + 1)).toBe(false);
    expect(invalidations.apply({ tag: '*', atMs: Number.MAX_SAFE_INTEGER }, NOW_MS + 5_000)).toBe(false);
    expect(invalidations.apply({ tag: '*', atMs: NOW_MS }, NOW_MS + 5_000)).toBe(false);
    expect(invalidations.apply({ tag: '*', atMs: NOW_MS + 1 }, NOW_MS + 5_000)).toBe(true);
  });

  it('have a bound: the one that was learned first makes room', () => {
    const invalidations = new RecentInvalidations(SKEW_MS);
    invalidations.apply({ tag: 'keyId:api_key_1', atMs: NOW_MS }, NOW_MS);
    for (let index = 1; index < 10_000; index += 1) invalidations.apply({ tag: `m${index}`, atMs: NOW_MS }, NOW_MS);
    expect(invalidations.isNewerThan(KEY, NOW_MS)).toBe(true);
    invalidations.apply({ tag: 'orgCode:org_b', atMs: NOW_MS }, NOW_MS);
    expect(invalidations.isNewerThan(KEY, NOW_MS)).toBe(false);
    expect(invalidations.isNewerThan({ ...KEY, orgCode: 'org_b' }, NOW_MS)).toBe(true);
  });

  it('have names of visible ASCII and bounded length, the same for a target and for the keys it means', () => {
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
  ])('stand for a name %s as it is, or by its hash', (_what, orgCode, isAsItIs) => {
    const hashed = `orgCode#${createHash('sha256').update(orgCode).digest('base64url')}`;
    expect(tagOf({ orgCode })).toBe(isAsItIs ? `orgCode:${orgCode}` : hashed);
  });
});
