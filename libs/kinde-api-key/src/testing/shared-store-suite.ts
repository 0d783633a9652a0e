import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  MAX_VALUE_BYTES,
  type SharedScope,
  type SharedSession,
  type SharedStore,
  type Invalidation,
} from '../shared/shared-store.js';

/** The test runner's own functions, of Jest, Vitest or `node:test`. */
export interface SharedStoreSuiteRunner {
  readonly describe: (name: string, suite: () => void) => void;
  readonly it: (name: string, test: () => Promise<void>) => void;
}

/** Two instances of an app on the same store. */
export interface SharedStoreFleet {
  readonly stores: readonly [SharedStore, SharedStore];
  /** Called after each test, when the sessions were closed. */
  tearDown(): Promise<void>;
}

const KEEP_MS = 60_000;

/**
 * What any store must do to be of use as the option `shared`. Declares its tests with the functions it is given, so that it works with
 * any test runner, and checks with `node:assert`.
 *
 * @param name of the store, for the titles
 * @param runner `{ describe, it }`
 * @param setUp makes two instances of the store that share what is in them; called for each test
 */
export function describeSharedStore(
  name: string,
  { describe, it }: SharedStoreSuiteRunner,
  setUp: () => Promise<SharedStoreFleet>,
): void {
  const test = (title: string, body: (one: Member, other: Member) => Promise<void>): void =>
    it(title, async () => {
      const fleet = await setUp();
      const scope = {
        invalidations: `suite:${randomBytes(8).toString('hex')}`,
        keepInvalidationsMs: KEEP_MS,
        log: { warn() {} },
      };
      const tags = fleet.stores.map((store) => new Member(store, scope)) as [Member, Member];
      try {
        await body(...tags);
      } finally {
        for (const { session } of tags) await session.close();
        await fleet.tearDown();
      }
    });

  describe(`${name}, as a shared store`, () => {
    test('gives one instance what the other has written, and nothing after it was removed', async (one, other) => {
      const key = aName();
      assert.equal(await other.session.read(key), undefined);
      await one.session.write(key, 'value {"a":"b"}', 10_000);
      assert.equal(await other.session.read(key), 'value {"a":"b"}');
      await one.session.write(key, 'other', 10_000);
      assert.equal(await other.session.read(key), 'other');
      await other.session.remove(key);
      assert.equal(await one.session.read(key), undefined);
    });

    test('forgets a value when its time is over', async (one, other) => {
      const key = aName();
      await one.session.write(key, 'value', 1);
      await until(async () => (await other.session.read(key)) === undefined);
    });

    test('keeps a value of the greatest length whole', async (one, other) => {
      const key = aName();
      const value = 'x'.repeat(MAX_VALUE_BYTES);
      await one.session.write(key, value, 10_000);
      assert.equal(await other.session.read(key), value);
    });

    test('gives a lock to one of a hundred', async (one, other) => {
      const lock = aName();
      const taken = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          (index % 2 === 0 ? one : other).session.acquire(lock, `owner ${index}`, 10_000),
        ),
      );
      assert.equal(taken.filter(Boolean).length, 1);
    });

    test('lets the owner of a lock hold it longer and give it back, and nobody else', async (one, other) => {
      const lock = aName();
      assert.equal(await one.session.acquire(lock, 'one', 10_000), true);
      assert.equal(await one.session.acquire(lock, 'one', 10_000), true);
      await other.session.release(lock, 'other');
      assert.equal(await other.session.acquire(lock, 'other', 10_000), false);
      await one.session.release(lock, 'one');
      assert.equal(await other.session.acquire(lock, 'other', 10_000), true);
    });

    test('gives a lock to the next when its owner has died', async (one, other) => {
      const lock = aName();
      await one.session.acquire(lock, 'one', 1);
      await until(() => other.session.acquire(lock, 'other', 10_000));
    });

    test('accepts no more than the limit of a bucket, whoever asks', async (one, other) => {
      const bucket = aName();
      const rates = await Promise.all(
        Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? one : other).session.take(bucket, 10, 60_000)),
      );
      const accepted = rates.filter((rate) => rate.accepted);
      assert.deepEqual(
        accepted.map(({ remaining }) => remaining).toSorted((a, b) => a - b),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      );
      assert.ok(rates.every(({ resetAfterMs }) => resetAfterMs > 0 && resetAfterMs <= 60_000));
      assert.equal((await one.session.take(aName(), 10, 60_000)).remaining, 9);
    });

    test('accepts one more when the time is over that it has named, and not before', async (one, other) => {
      const bucket = aName();
      await one.session.take(bucket, 1, 1_000);
      const startedAtMs = performance.now();
      const refused = await other.session.take(bucket, 1, 1_000);
      assert.equal(refused.accepted, false);
      await until(async () => (await other.session.take(bucket, 1, 1_000)).accepted);
      const tookMs = performance.now() - startedAtMs;
      assert.ok(tookMs >= refused.resetAfterMs - 5 && tookMs < refused.resetAfterMs + 500, `it took ${tookMs} ms`);
    });

    test('holds what was accepted against another limit of the same bucket', async (one) => {
      const bucket = aName();
      for (let times = 0; times < 5; times += 1) await one.session.take(bucket, 5, 60_000);
      assert.equal((await one.session.take(bucket, 3, 60_000)).accepted, false);
      assert.equal((await one.session.take(bucket, 7, 60_000)).remaining, 1);
    });

    test('announces a invalidation to every instance that listens', async (one, other) => {
      await one.listen();
      await other.listen();
      const invalidation = { tag: 'keyId:api_key_1', atMs: Date.now() };
      await one.session.publish(invalidation);
      await until(async () => one.heard.length > 0 && other.heard.length > 0);
      assert.deepEqual([one.heard, other.heard], [[invalidation], [invalidation]]);
    });

    test('keeps invalidations for those who come later, the last time of each', async (one, other) => {
      const nowMs = Date.now();
      await one.session.publish({ tag: 'keyId:a', atMs: nowMs });
      await one.session.publish({ tag: 'keyId:a', atMs: nowMs - 10 });
      await one.session.publish({ tag: 'orgCode:b', atMs: nowMs - 5 });
      assert.deepEqual(await other.session.invalidationsOf(['*', 'keyId:a', 'keyId:b']), [
        { tag: 'keyId:a', atMs: nowMs },
      ]);
      assert.deepEqual(sorted(await other.session.invalidationsSince(nowMs - 5)), [
        { tag: 'keyId:a', atMs: nowMs },
        { tag: 'orgCode:b', atMs: nowMs - 5 },
      ]);
      assert.deepEqual(await other.session.invalidationsSince(nowMs), [{ tag: 'keyId:a', atMs: nowMs }]);
    });

    test('lets go of invalidations that are of no use any more', async (one, other) => {
      const nowMs = Date.now();
      await one.session.publish({ tag: 'keyId:old', atMs: nowMs - KEEP_MS - 1 });
      await one.session.publish({ tag: 'keyId:new', atMs: nowMs });
      assert.deepEqual(await other.session.invalidationsSince(0), [{ tag: 'keyId:new', atMs: nowMs }]);
    });
  });
}

/** One instance. */
class Member {
  readonly session: SharedSession;
  readonly heard: Invalidation[] = [];

  constructor(store: SharedStore, scope: SharedScope) {
    this.session = store.open(scope);
  }

  /** Resolves when it listens. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.session
        .start({ onInvalidation: (invalidation) => this.heard.push(invalidation), onConnected: resolve })
        .catch(reject);
    });
  }
}

function aName(): string {
  return `suite:${randomBytes(8).toString('hex')}`;
}

function sorted(invalidations: readonly Invalidation[]): Invalidation[] {
  return invalidations.toSorted((a, b) => a.tag.localeCompare(b.tag));
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endsAtMs = performance.now() + 5_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < endsAtMs, 'it did not happen within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
