import fc from 'fast-check';
import { NONE } from '../slot-index.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { KeyTable } from './key-table.js';
import { digestOf } from '../api-key/raw-key.js';

function keyWith(keyId: string): VerifiedApiKey {
  return {
    keyId,
    scopes: [],
    orgCode: null,
    userId: null,
    ownerType: 'environment',
    lastVerifiedOn: null,
    verificationCount: null,
  };
}

/** The same as the table, written down: an array in the order of use, the least recently used first. */
interface Row {
  readonly digest: string;
  readonly keyId: string;
  readonly callNo: number;
}

const MAX_KEYS = 5;
/** Few of each, so that they meet; the digests of `a0`, `a1`, … fall into few lists, too, because there are so few. */
const DIGESTS = Array.from({ length: 12 }, (_, index) => digestOf(`secret ${index}`));
const KEY_IDS = Array.from({ length: 9 }, (_, index) => `api_key_${index}`);

const operations = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('put' as const),
      digest: fc.constantFrom(...DIGESTS),
      keyId: fc.constantFrom(...KEY_IDS),
    }),
    fc.record({ kind: fc.constantFrom('use' as const, 'remove' as const), digest: fc.constantFrom(...DIGESTS) }),
  ),
  { maxLength: 80 },
);

describe('KeyTable', () => {
  it('finds by digest and by id what a list in the order of use would, whatever is put in, used and taken out', () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const removed: string[] = [];
        const expectedRemoved: string[] = [];
        const table = new KeyTable(MAX_KEYS, ({ keyId }, { digest, callNo }) =>
          removed.push(`${keyId} ${digest} ${callNo}`),
        );
        let rows: Row[] = [];
        const drop = (isDropped: (row: Row) => boolean): void => {
          expectedRemoved.push(...rows.filter(isDropped).map((row) => `${row.keyId} ${row.digest} ${row.callNo}`));
          rows = rows.filter((row) => !isDropped(row));
        };
        for (const [callNo, step] of steps.entries()) {
          if (step.kind === 'put') {
            const { digest, keyId } = step;
            drop((row) => row.digest === digest && row.keyId !== keyId);
            drop((row) => row.keyId === keyId && row.digest !== digest);
            rows = rows.filter((row) => row.digest !== digest);
            const oldest = rows.length === MAX_KEYS ? rows[0] : undefined;
            drop((row) => row === oldest);
            rows.push({ digest, keyId, callNo });
            table.put(digest, keyWith(keyId), { sentAtMs: callNo * 10, callNo }, callNo * 20);
          } else if (step.kind === 'use') {
            const slot = table.find(step.digest);
            if (slot !== NONE) table.use(slot);
            rows = [
              ...rows.filter(({ digest }) => digest !== step.digest),
              ...rows.filter(({ digest }) => digest === step.digest),
            ];
          } else {
            drop(({ digest }) => digest === step.digest);
            table.remove(table.find(step.digest));
          }
          expect(contentOf(table)).toEqual(rows.toSorted(byDigest));
          expect(removed).toEqual(expectedRemoved);
          for (const digest of DIGESTS)
            expect(table.find(digest) !== NONE).toBe(rows.some((row) => row.digest === digest));
          for (const keyId of KEY_IDS) {
            const slot = table.findById(keyId);
            const row = rows.find((one) => one.keyId === keyId);
            expect(slot === NONE ? undefined : table.digest(slot)).toBe(row?.digest);
          }
        }
      }),
    );
  });

  it('keeps the times of each key, and changes one when it is told to', () => {
    const table = new KeyTable(2, () => undefined);
    table.put('a'.repeat(32), keyWith('a'), { sentAtMs: 1.5, callNo: 1 }, 48_001.5);
    table.put('b'.repeat(32), keyWith('b'), { sentAtMs: 2, callNo: 2 }, 48_002);
    table.serveUntil(table.findById('b'), 60_000);
    const [a, b] = [table.findById('a'), table.findById('b')];
    expect([table.sentAtMs(a), table.servedUntilMs(a)]).toEqual([1.5, 48_001.5]);
    expect([table.sentAtMs(b), table.servedUntilMs(b)]).toEqual([2, 60_000]);
  });

  it('finds keys whose hashes are equal', () => {
    const digests = ['x', 'y', 'z'].map((end) => 'same'.padEnd(31, '-') + end);
    const table = new KeyTable(3, () => undefined);
    for (const [index, digest] of digests.entries()) {
      table.put(digest, keyWith(`key ${index}`), { sentAtMs: 0, callNo: index }, 0);
    }
    table.remove(table.find(digests[1] ?? ''));
    expect(digests.map((digest) => table.find(digest) !== NONE)).toEqual([true, false, true]);
  });

  it('makes room in a large table by one of the least recently used: never by one of the younger half', () => {
    const maxKeys = 1_000;
    const removed: number[] = [];
    const table = new KeyTable(maxKeys, ({ keyId }) => removed.push(Number(keyId)));
    const put = (key: number): void =>
      table.put(digestOf(`secret ${key}`), keyWith(String(key)), { sentAtMs: 0, callNo: key }, 0);
    for (let key = 0; key < maxKeys; key += 1) put(key);
    // Used in an order that has nothing to do with the places that they have.
    const uses = Array.from({ length: maxKeys }, (_, index) => (index * 387) % maxKeys);
    for (const key of uses) table.use(table.findById(String(key)));
    for (let key = maxKeys; key < maxKeys + 200; key += 1) put(key);
    expect(removed).toHaveLength(200);
    expect(Math.max(...removed.map((key) => uses.indexOf(key)))).toBeLessThan(maxKeys / 2);
  });

  it('looks at 64 keys to make room, the next time at the next 64, and at the first ones again after the last', () => {
    const removed: number[] = [];
    const table = new KeyTable(128, ({ keyId }) => removed.push(Number(keyId)));
    const put = (key: number): void =>
      table.put(digestOf(`secret ${key}`), keyWith(String(key)), { sentAtMs: 0, callNo: key }, 0);
    for (let key = 0; key < 128; key += 1) put(key);
    for (let key = 127; key >= 0; key -= 1) table.use(table.findById(String(key)));
    for (let key = 128; key < 132; key += 1) put(key);
    expect(removed).toEqual([63, 127, 62, 126]);
  });

  it('forgets what was taken out: nothing of a key stays in memory', () => {
    const table = new KeyTable(2, () => undefined);
    table.put('a'.repeat(32), keyWith('a'), { sentAtMs: 0, callNo: 1 }, 0);
    const slot = table.find('a'.repeat(32));
    table.remove(slot);
    expect([table.apiKey(slot), table.digest(slot)]).toEqual([undefined, undefined]);
  });
});

function contentOf(table: KeyTable): Row[] {
  const rows = table.slots().map((slot) => {
    const { digest, callNo } = table.secret(slot);
    return { digest, keyId: table.apiKey(slot).keyId, callNo };
  });
  return rows.toSorted(byDigest);
}

function byDigest(one: Row, other: Row): number {
  return one.digest < other.digest ? -1 : 1;
}
