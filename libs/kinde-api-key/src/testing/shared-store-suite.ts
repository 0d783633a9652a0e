import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  MAX_VALUE_BYTES,
  type Invalidation,
  type SharedScope,
  type SharedSession,
  type SharedStore,
} from '../shared/shared-store.js';

/** The test runner's own functions: those of Jest, Vitest or `node:test`. */
export interface SharedStoreSuiteRunner {
  readonly describe: (name: string, suite: () => void) => void;
  readonly it: (name: string, test: () => Promise<void>) => void;
}

/** The stores of two instances of an app. What one writes, the other reads. */
export interface SharedStoreFleet {
  readonly stores: readonly [SharedStore, SharedStore];
  /** Called after each test, when the sessions are closed. */
  tearDown(): Promise<void>;
}

const KEEP_MS = 60_000;

/**
 * Declares the tests that every store for the option `shared` must pass. Works with any test runner, and checks with `node:assert`.
 *
 * @param name of the store, for the titles
 * @param runner `{ describe, it }`
 * @param setUp creates the stores of two instances, for each test
 * @experimental The suite may change in a minor version, together with the port `SharedStore`.
 */
export function describeSharedStore(
  name: string,
  { describe, it }: SharedStoreSuiteRunner,
  setUp: () => Promise<SharedStoreFleet>,
): void {
  const test = (title: string, body: (one: TestSession, other: TestSession) => Promise<void>): void =>
    it(title, async () => {
      const instances = await setUp();
      const scope = { invalidations: uniqueName(), keepInvalidationsMs: KEEP_MS, log: { warn() {} } };
      const [one, other] = instances.stores.map((store) => new TestSession(store, scope)) as [TestSession, TestSession];
      try {
        await body(one, other);
      } finally {
        for (const { session } of [one, other]) await session.close();
        await instances.tearDown();
      }
    });

  describe(`${name}, as a shared store,`, () => {
    test('returns a value that another instance has written, until it is removed', async (one, other) => {
      const key = uniqueName();
      assert.equal(await other.session.read(key), undefined);
      await one.session.write(key, 'value {"a":"b"}', 10_000);
      assert.equal(await other.session.read(key), 'value {"a":"b"}');
      await one.session.write(key, 'other', 10_000);
      assert.equal(await other.session.read(key), 'other');
      await other.session.remove(key);
      assert.equal(await one.session.read(key), undefined);
    });

    test('expires a value after its ttlMs', async (one, other) => {
      const key = uniqueName();
      await one.session.write(key, 'value', 1);
      await until(async () => (await other.session.read(key)) === undefined);
    });

    test(`returns a value of the maximum length, ${MAX_VALUE_BYTES} bytes, as a whole`, async (one, other) => {
      const key = uniqueName();
      const value = 'x'.repeat(MAX_VALUE_BYTES);
      await one.session.write(key, value, 10_000);
      assert.equal(await other.session.read(key), value);
    });

    test('grants a lock to exactly one of a hundred concurrent callers', async (one, other) => {
      const lock = uniqueName();
      const granted = await Promise.all(
        Array.from({ length: 100 }, (_value, index) =>
          (index % 2 ? one : other).session.acquire(lock, `owner ${index}`, 10_000),
        ),
      );
      assert.equal(granted.filter(Boolean).length, 1);
    });

    test('lets only the owner of a lock extend and release it', async (one, other) => {
      const lock = uniqueName();
      assert.equal(await one.session.acquire(lock, 'one', 10_000), true);
      assert.equal(await one.session.acquire(lock, 'one', 10_000), true);
      await other.session.release(lock, 'other');
      assert.equal(await other.session.acquire(lock, 'other', 10_000), false);
      await one.session.release(lock, 'one');
      assert.equal(await other.session.acquire(lock, 'other', 10_000), true);
    });

    test('grants a lock to another owner after its ttlMs', async (one, other) => {
      const lock = uniqueName();
      await one.session.acquire(lock, 'one', 1);
      await until(() => other.session.acquire(lock, 'other', 10_000));
    });

    test('accepts exactly the limit of a bucket when two instances take concurrently', async (one, other) => {
      const bucket = uniqueName();
      const rates = await Promise.all(
        Array.from({ length: 100 }, (_value, index) => (index % 2 ? one : other).session.take(bucket, 10, 60_000)),
      );
      const remaining = rates.filter(({ accepted }) => accepted).map((rate) => rate.remaining);
      assert.deepEqual(
        remaining.toSorted((a, b) => b - a),
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
      );
      assert.ok(rates.every(({ resetAfterMs }) => resetAfterMs > 0 && resetAfterMs <= 60_000));
      assert.equal((await one.session.take(uniqueName(), 10, 60_000)).remaining, 9);
    });

    test('accepts the next request of a full bucket after resetAfterMs, and not before', async (one, other) => {
      const bucket = uniqueName();
      const firstAtMs = performance.now();
      await one.session.take(bucket, 1, 1_000);
      const refusedAtMs = performance.now();
      const { accepted, resetAfterMs } = await other.session.take(bucket, 1, 1_000);
      assert.equal(accepted, false);
      // The store's clock started the window after firstAtMs, so at least this much of it is left.
      assert.ok(resetAfterMs >= 1_000 - (performance.now() - firstAtMs) - 5, `resetAfterMs is ${resetAfterMs}`);
      await until(async () => (await other.session.take(bucket, 1, 1_000)).accepted);
      assert.ok(performance.now() - refusedAtMs >= resetAfterMs - 5, 'accepted before resetAfterMs');
    });

    test('counts accepted requests against another limit of the same bucket', async (one) => {
      const bucket = uniqueName();
      for (let times = 0; times < 5; times += 1) await one.session.take(bucket, 5, 60_000);
      assert.equal((await one.session.take(bucket, 3, 60_000)).accepted, false);
      assert.equal((await one.session.take(bucket, 7, 60_000)).remaining, 1);
    });

    test('sends an invalidation to every listening instance, the publishing one included', async (one, other) => {
      await one.listen();
      await other.listen();
      const invalidation = { tag: 'keyId:api_key_1', atMs: Date.now() };
      await one.session.publish(invalidation);
      await until(async () => one.received.length > 0 && other.received.length > 0);
      assert.deepEqual([one.received, other.received], [[invalidation], [invalidation]]);
    });

    test('stores the latest invalidation of each tag, and finds it by tag and by time', async (one, other) => {
      const nowMs = Date.now();
      const [a, b] = [
        { tag: 'keyId:a', atMs: nowMs },
        { tag: 'orgCode:b', atMs: nowMs - 5 },
      ];
      for (const invalidation of [a, { ...a, atMs: nowMs - 10 }, b]) await one.session.publish(invalidation);
      assert.deepEqual(await other.session.invalidationsOf(['*', 'keyId:a', 'keyId:b']), [a]);
      const since = await other.session.invalidationsSince(nowMs - 5);
      assert.deepEqual(
        since.toSorted((left, right) => right.atMs - left.atMs),
        [a, b],
      );
      assert.deepEqual(await other.session.invalidationsSince(nowMs), [a]);
    });

    test('drops an invalidation that is older than keepInvalidationsMs', async (one, other) => {
      const nowMs = Date.now();
      await one.session.publish({ tag: 'keyId:old', atMs: nowMs - KEEP_MS - 1 });
      await one.session.publish({ tag: 'keyId:new', atMs: nowMs });
      assert.deepEqual(await other.session.invalidationsSince(0), [{ tag: 'keyId:new', atMs: nowMs }]);
    });
  });
}

/** The session of one instance. */
class TestSession {
  readonly session: SharedSession;
  readonly received: Invalidation[] = [];

  constructor(store: SharedStore, scope: SharedScope) {
    this.session = store.open(scope);
  }

  /** Resolves when the session is listening. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const onInvalidation = (invalidation: Invalidation): void => void this.received.push(invalidation);
      this.session.start({ onInvalidation, onConnected: resolve }).catch(reject);
    });
  }
}

function uniqueName(): string {
  return `suite:${randomBytes(8).toString('hex')}`;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const endsAtMs = performance.now() + 5_000;
  while (!(await condition())) {
    assert.ok(performance.now() < endsAtMs, 'it did not happen within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
