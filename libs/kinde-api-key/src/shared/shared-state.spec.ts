import { TestClock } from '../testing/test-clock.js';
import { SharedStoreError, type SharedListener, type SharedSession, type SharedStore } from './shared-store.js';
import { SharedState } from './shared-state.js';

const OPTIONS = {
  origin: 'https://acme.kinde.com',
  clientId: 'id',
  clientSecret: 'secret',
  audience: 'a',
  apiId: null,
  timeoutMs: 2_000,
  maxAcceptedAgeMs: 300_000,
};
const LOCAL = { accepted: true, limit: 7, remaining: 6, resetAfterMs: 1 };

beforeEach(() => void jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

function setUp(limitsOnOutage?: SharedStore['limitsOnOutage']) {
  const missed = { tag: 'keyId:missed', atMs: 1 };
  const fake = { listener: undefined as SharedListener | undefined, catchUps: 0, isClosed: false };
  const session: Partial<SharedSession> = {
    start: async (listener) => void (fake.listener = listener),
    close: async () => void (fake.isClosed = true),
    invalidationsSince: async () => {
      fake.catchUps += 1;
      return [missed];
    },
    take: async () => {
      throw new SharedStoreError('down');
    },
  };
  const store = { name: 'fake', ...(limitsOnOutage && { limitsOnOutage }), open: () => session as SharedSession };
  const state = new SharedState(store, OPTIONS, new TestClock(), { warn() {} });
  const applied: string[] = [];
  state.verdicts.onInvalidations((invalidations) => applied.push(...invalidations.map(({ tag }) => tag)));
  return { state, fake, applied };
}

describe('SharedState', () => {
  it('applies the invalidations that are sent to it', async () => {
    const { state, fake, applied } = setUp();
    await state.start();
    fake.listener?.onInvalidation({ tag: 'orgCode:a', atMs: 1 });
    expect(applied).toEqual(['orgCode:a']);
  });

  it('catches up with missed invalidations when it is connected, and every 5 s until it is closed', async () => {
    const { state, fake, applied } = setUp();
    await state.start();
    fake.listener?.onConnected();
    await jest.advanceTimersByTimeAsync(4_999);
    expect(fake.catchUps).toBe(1);
    expect(applied).toEqual(['keyId:missed']);
    await jest.advanceTimersByTimeAsync(1);
    expect(fake.catchUps).toBe(2);
    await state.close();
    expect(fake.isClosed).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([
    [undefined, LOCAL],
    ['local', LOCAL],
    ['refuse', { accepted: false, limit: 7, remaining: 0, resetAfterMs: 5_000 }],
    ['anything else', { accepted: false, limit: 7, remaining: 0, resetAfterMs: 5_000 }],
  ])('decides about limited requests during an outage of the store when limitsOnOutage is %p', async (on, decision) => {
    const { state } = setUp(on as 'local');
    const limits = state.rateLimits({ take: () => LOCAL });
    await expect(limits.take('Users.find', 'api_key_1', 7, 60_000)).resolves.toEqual(decision);
  });
});
