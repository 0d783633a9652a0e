import { verifiedKey } from '../../../../test/support/verified-key.js';
import { TestClock } from '../testing/test-clock.js';
import { sealVerdict } from './sealed-verdict.js';
import { SharedSecrets } from './shared-secrets.js';
import { SharedStoreError, type Invalidation, type SharedSession } from './shared-store.js';
import { SharedVerdictStore } from './shared-verdict-store.js';

const secrets = new SharedSecrets({
  origin: 'https://acme.kinde.com',
  clientId: 'id',
  clientSecret: 'secret',
  audience: 'a',
  apiId: null,
});
const verdict = { accepted: true, apiKey: verifiedKey({ keyId: 'api_key_1' }) } as const;

const shared = (sentAtMs: number) => ({ verdict, sentAtMs });

function setUp() {
  const clock = new TestClock();
  const locks = new Map<string, string>();
  const values = new Map<string, string>();
  const state = { isDown: false, published: [] as Invalidation[], stored: [] as Invalidation[] };
  const fails = () => {
    if (state.isDown) throw new SharedStoreError('down');
  };
  const session: Partial<SharedSession> = {
    read: async (name) => values.get(name),
    write: async (name, value) => void values.set(name, value),
    acquire: async (name, owner) => {
      fails();
      if (!locks.has(name)) locks.set(name, owner);
      return locks.get(name) === owner;
    },
    release: async (name, owner) => void (locks.get(name) === owner && locks.delete(name)),
    remove: async (name) => void values.delete(name),
    invalidationsOf: async () => {
      fails();
      return state.stored;
    },
    invalidationsSince: async (sinceMs) => {
      fails();
      return state.stored.filter(({ atMs }) => atMs >= sinceMs);
    },
    publish: async (invalidation) => {
      fails();
      state.published.push(invalidation);
    },
  };
  const createStore = () => new SharedVerdictStore(session as SharedSession, secrets, clock, 300_000, 500);
  const put = (sentAtMs: number) => {
    const name = secrets.verdictName('digest');
    values.set(name, sealVerdict(secrets, name, { verdict, sentAtMs }) ?? '');
  };
  return { clock, state, store: createStore(), createStore, put };
}

describe('SharedVerdictStore', () => {
  it('finds a verdict only if it is more than 2 s newer than each invalidation of its key', async () => {
    const { clock, store, state, put } = setUp();
    const sentAtMs = Math.floor(clock.now());
    put(sentAtMs);
    state.stored = [{ tag: 'keyId:api_key_1', atMs: sentAtMs - 2_000 }];
    await expect(store.find('digest')).resolves.toBeUndefined();
    state.stored = [{ tag: 'keyId:api_key_1', atMs: sentAtMs - 2_001 }];
    await expect(store.find('digest')).resolves.toEqual({ verdict, sentAtMs });
  });

  it('finds no verdict while its invalidations cannot be read', async () => {
    const { clock, store, state, put } = setUp();
    put(clock.now());
    state.isDown = true;
    await expect(store.find('digest')).resolves.toBeUndefined();
  });

  it.each([
    ['the verdict is shared', (store: SharedVerdictStore, nowMs: number) => store.share('digest', shared(nowMs))],
    ['the verdict is too old to be shared', (store: SharedVerdictStore) => store.share('digest', shared(0))],
    ['Kinde has refused the key', (store: SharedVerdictStore) => store.takeBack('digest')],
    ['Kinde has not answered', (store: SharedVerdictStore) => store.release('digest')],
  ])('grants the claim to ask about a key to one instance, and to the next once %s', async (_what, settle) => {
    const { clock, store, createStore } = setUp();
    const other = createStore();
    await expect(store.claim('digest')).resolves.toBe(true);
    await expect(other.claim('digest')).resolves.toBe(false);
    await settle(store, clock.now());
    await expect(other.claim('digest')).resolves.toBe(true);
  });

  it('grants every claim while the store is down', async () => {
    const { store, state } = setUp();
    state.isDown = true;
    await expect(store.claim('digest')).resolves.toBe(true);
    await expect(store.invalidationsOf(verdict.apiKey)).resolves.toEqual([]);
  });

  it('publishes pending invalidations at the next catch-up, each once', async () => {
    const { store, state } = setUp();
    state.isDown = true;
    await store.publish({ tag: 'keyId:a', atMs: 1 });
    await store.publish({ tag: 'keyId:a', atMs: 2 });
    await store.catchUp();
    state.isDown = false;
    await store.catchUp();
    await store.catchUp();
    expect(state.published).toEqual([{ tag: 'keyId:a', atMs: 2 }]);
  });

  it('applies later invalidations after the clock went an hour ahead and back', async () => {
    const { clock, store, state } = setUp();
    const applied: Invalidation[] = [];
    store.onInvalidations((invalidations) => applied.push(...invalidations));
    const beforeMs = Math.floor(clock.now());
    clock.set(beforeMs + 3_600_000);
    await store.catchUp();
    clock.set(beforeMs + 1_000);
    state.stored = [{ tag: 'keyId:a', atMs: beforeMs + 1_000 }];
    await store.catchUp();
    expect(applied).toEqual(state.stored);
  });

  it('replaces more than 1,000 pending invalidations with one for every key', async () => {
    const { store, state } = setUp();
    state.isDown = true;
    for (let atMs = 1; atMs <= 1_001; atMs += 1) await store.publish({ tag: `keyId:${atMs}`, atMs });
    state.isDown = false;
    await store.catchUp();
    expect(state.published).toEqual([{ tag: '*', atMs: 1_001 }]);
  });
});
