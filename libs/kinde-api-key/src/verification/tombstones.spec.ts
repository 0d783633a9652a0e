import { createHash } from 'node:crypto';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { memberOf, membersOf } from './invalidation.js';
import { Tombstones } from './tombstones.js';

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

describe('tombstones', () => {
  it('overtake what was sent before them, or so shortly after that the clocks cannot tell', () => {
    const tombstones = new Tombstones(SKEW_MS);
    tombstones.learn({ member: 'keyId:api_key_1', atMs: NOW_MS }, NOW_MS);
    expect(tombstones.overtakes(KEY, NOW_MS - 1)).toBe(true);
    expect(tombstones.overtakes(KEY, NOW_MS + SKEW_MS)).toBe(true);
    expect(tombstones.overtakes(KEY, NOW_MS + SKEW_MS + 1)).toBe(false);
    expect(tombstones.overtakes({ ...KEY, keyId: 'api_key_2' }, NOW_MS)).toBe(false);
  });

  it('do not overtake a call of our own that was sent when they were known', () => {
    const tombstones = new Tombstones(SKEW_MS);
    tombstones.learn({ member: '*', atMs: NOW_MS }, NOW_MS);
    const { sequence } = tombstones;
    expect(tombstones.overtakes(KEY, NOW_MS, sequence)).toBe(false);
    tombstones.learn({ member: 'orgCode:org_a', atMs: NOW_MS }, NOW_MS);
    expect(tombstones.overtakes(KEY, NOW_MS, sequence)).toBe(true);
  });

  it('are news once, and again when they are later', () => {
    const tombstones = new Tombstones(SKEW_MS);
    expect(tombstones.learn({ member: 'a', atMs: NOW_MS }, NOW_MS)).toBe(true);
    expect(tombstones.learn({ member: 'a', atMs: NOW_MS }, NOW_MS + 5)).toBe(false);
    expect(tombstones.learn({ member: 'a', atMs: NOW_MS - 1 }, NOW_MS + 5)).toBe(false);
    expect(tombstones.learn({ member: 'a', atMs: NOW_MS }, NOW_MS + 5, true)).toBe(true);
    expect(tombstones.learn({ member: 'a', atMs: NOW_MS + 1 }, NOW_MS + 5)).toBe(true);
  });

  it('from the future are of now, and do not hide later ones', () => {
    const tombstones = new Tombstones(SKEW_MS);
    tombstones.learn({ member: '*', atMs: Number.MAX_SAFE_INTEGER }, NOW_MS);
    expect(tombstones.overtakes(KEY, NOW_MS + SKEW_MS + 1)).toBe(false);
    expect(tombstones.learn({ member: '*', atMs: Number.MAX_SAFE_INTEGER }, NOW_MS + 5_000)).toBe(false);
    expect(tombstones.learn({ member: '*', atMs: NOW_MS }, NOW_MS + 5_000)).toBe(false);
    expect(tombstones.learn({ member: '*', atMs: NOW_MS + 1 }, NOW_MS + 5_000)).toBe(true);
  });

  it('have a bound: the one that was learned first makes room', () => {
    const tombstones = new Tombstones(SKEW_MS);
    tombstones.learn({ member: 'keyId:api_key_1', atMs: NOW_MS }, NOW_MS);
    for (let index = 1; index < 10_000; index += 1) tombstones.learn({ member: `m${index}`, atMs: NOW_MS }, NOW_MS);
    expect(tombstones.overtakes(KEY, NOW_MS)).toBe(true);
    tombstones.learn({ member: 'orgCode:org_b', atMs: NOW_MS }, NOW_MS);
    expect(tombstones.overtakes(KEY, NOW_MS)).toBe(false);
    expect(tombstones.overtakes({ ...KEY, orgCode: 'org_b' }, NOW_MS)).toBe(true);
  });

  it('have names of visible ASCII and bounded length, the same for a target and for the keys it means', () => {
    for (const orgCode of ['org_a', 'org ö', 'x'.repeat(10_000), '*', '\n']) {
      const member = memberOf({ orgCode });
      expect(member).toMatch(/^orgCode[:#][\x21-\x7e]{1,292}$/);
      expect(membersOf({ ...KEY, orgCode, userId: 'kp_1' })).toEqual(['*', 'keyId:api_key_1', member, 'userId:kp_1']);
    }
    expect(membersOf({ ...KEY, orgCode: null })).toEqual(['*', 'keyId:api_key_1']);
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
    expect(memberOf({ orgCode })).toBe(isAsItIs ? `orgCode:${orgCode}` : hashed);
  });
});
