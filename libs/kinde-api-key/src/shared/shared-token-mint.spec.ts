import { AccessToken } from '../kinde/token/access-token.js';
import { TestClock } from '../testing/test-clock.js';
import { openToken, sealToken } from './sealed-token.js';
import { SharedSecrets } from './shared-secrets.js';
import type { SharedSession } from './shared-store.js';
import { SharedTokenMint } from './shared-token-mint.js';

const secrets = new SharedSecrets({
  origin: 'https://acme.kinde.com',
  clientId: 'id',
  clientSecret: 'secret',
  audience: 'a',
  apiId: null,
});
const LIFE_MS = 86_400_000;

function setUp({ isLocked = false } = {}) {
  const clock = new TestClock();
  const store: { sealed?: string; locks: number } = { locks: 0 };
  const session: Partial<SharedSession> = {
    read: async () => store.sealed,
    write: async (_name, value) => void (store.sealed = value),
    acquire: async () => {
      if (!isLocked) store.locks += 1;
      return !isLocked;
    },
    release: async () => void (store.locks = 0),
  };
  const endpoint = { mint: jest.fn(async () => new AccessToken('from Kinde', clock.now(), LIFE_MS)) };
  const mint = new SharedTokenMint(endpoint, session as SharedSession, secrets, clock, 1);
  const put = (token: AccessToken, isForced = false) => (store.sealed = sealToken(secrets, { token, isForced }));
  const take = async (held?: AccessToken, isForced = false) => (await mint.mint({ held, isForced })).reveal();
  return { clock, store, endpoint, put, take };
}

describe('SharedTokenMint', () => {
  it('stores the token that it fetches, and releases the lock', async () => {
    const { store, take } = setUp();
    await expect(take(undefined, true)).resolves.toBe('from Kinde');
    expect(openToken(secrets, store.sealed ?? '')).toMatchObject({ isForced: true });
    expect(store.locks).toBe(0);
  });

  it('releases the lock when Kinde does not answer', async () => {
    const { store, endpoint, take } = setUp();
    endpoint.mint.mockRejectedValueOnce(new Error('outage'));
    await expect(take()).rejects.toThrow('outage');
    expect(store.locks).toBe(0);
  });

  it('uses the shared token until it expires, and none from more than 2 s in the future', async () => {
    const { clock, put, take } = setUp();
    put(new AccessToken('shared', clock.now() + 2_000, LIFE_MS));
    await expect(take()).resolves.toBe('shared');
    put(new AccessToken('shared', clock.now() + 2_001, LIFE_MS));
    await expect(take()).resolves.toBe('from Kinde');
    put(new AccessToken('shared', clock.now() - LIFE_MS, LIFE_MS));
    await expect(take()).resolves.toBe('from Kinde');
  });

  it('returns the held token when another instance forced its renewal within the last minute', async () => {
    const { clock, put, take } = setUp();
    const held = new AccessToken('held', clock.now(), LIFE_MS);
    put(held, true);
    clock.advance(59_999);
    await expect(take(held, true)).resolves.toBe('held');
    clock.advance(1);
    await expect(take(held, true)).resolves.toBe('from Kinde');
  });

  it('replaces the held token when its renewal was not forced, and when it is due for renewal', async () => {
    const { clock, put, take } = setUp();
    const held = new AccessToken('held', clock.now(), LIFE_MS);
    put(held);
    await expect(take(held, true)).resolves.toBe('from Kinde');
    put(new AccessToken('as old as the held one', clock.now(), LIFE_MS));
    clock.advance(LIFE_MS * 0.8);
    await expect(take(held)).resolves.toBe('from Kinde');
  });

  it('is an outage when another instance holds the lock and stores no token in time', async () => {
    const { endpoint, take } = setUp({ isLocked: true });
    await expect(take()).rejects.toMatchObject({ name: 'VerificationFailure', countsForCircuit: false });
    expect(endpoint.mint).not.toHaveBeenCalled();
  });

  it('is fetched without the lock after twice that time by this instance, however the lock is held', async () => {
    const { endpoint, store, take } = setUp({ isLocked: true });
    await expect(take()).rejects.toMatchObject({ name: 'VerificationFailure' });
    await expect(take()).resolves.toBe('from Kinde');
    expect(endpoint.mint).toHaveBeenCalledTimes(1);
    expect(openToken(secrets, store.sealed ?? '')).toBeDefined();
  });
});
