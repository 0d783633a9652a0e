import { RawKey } from '../../api-key/raw-key.js';
import type { Verdict } from '../../api-key/verdict.js';
import type { VerifiedApiKey } from '../../api-key/verified-api-key.js';
import { Listeners } from '../../listeners.js';
import type { Invalidation } from '../../shared/shared-store.js';
import { TestClock } from '../../testing/test-clock.js';
import { KindeApiKeyUnavailableError } from '../../kinde-api-key.errors.js';
import { OpenStreams } from './open-streams.js';

const KEY = RawKey.parse('k_live_0123456789abcdef') as RawKey;
const OTHER_KEY = RawKey.parse('k_live_fedcba9876543210') as RawKey;
const API_KEY = { keyId: 'api_key_1', orgCode: 'org_a', userId: 'user_1' } as VerifiedApiKey;
const ACCEPTED: Verdict = { accepted: true, apiKey: API_KEY };

function openStreams(verify: () => Promise<Verdict> = async () => ACCEPTED) {
  const clock = new TestClock(1_000);
  const verification = { verify: jest.fn(verify), onInvalidated: new Listeners<Invalidation>() };
  const streams = new OpenStreams(verification, clock);
  const codes: string[] = [];
  /** Opens a stream that closes as it ends. */
  const open = (apiKey = API_KEY, key = KEY) => {
    const close = streams.open(key, apiKey, (code) => {
      codes.push(code);
      close();
    });
    return close;
  };
  const invalidate = (tag: string, atMs = clock.now()) => verification.onInvalidated.notify({ tag, atMs });
  return { verification, streams, codes, open, invalidate, clock };
}

describe('the open streams', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('of one key share one call every five seconds', async () => {
    const { open, verification, codes } = openStreams();
    const closing = Array.from({ length: 1_000 }, () => open());
    await jest.advanceTimersByTimeAsync(4_999);
    expect(verification.verify).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(verification.verify).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(verification.verify).toHaveBeenCalledTimes(3);
    for (const close of closing) close();
    expect(jest.getTimerCount()).toBe(0);
    expect(codes).toEqual([]);
  });

  it('of one key end together when it is refused, and leave no timer', async () => {
    const { open, codes } = openStreams(async () => ({ accepted: false, reason: 'other_api' }));
    open();
    open();
    open({ ...API_KEY, keyId: 'api_key_2' }, OTHER_KEY)();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(codes).toEqual(['INVALID_KEY', 'INVALID_KEY']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each(['keyId:api_key_1', 'orgCode:org_a', 'userId:user_1', '*'])('end once by an invalidation of %s', (tag) => {
    const { open, codes, invalidate } = openStreams();
    open();
    open();
    invalidate('keyId:api_key_2');
    expect(codes).toEqual([]);
    invalidate(tag);
    invalidate(tag);
    expect(codes).toEqual(['KEY_REVOKED', 'KEY_REVOKED']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('go on after an invalidation from before they were opened', () => {
    const { open, codes, invalidate } = openStreams();
    open();
    invalidate('keyId:api_key_1', 999);
    expect(codes).toEqual([]);
  });

  it('end when nothing is known about their key any more, whatever the error', async () => {
    const { open, codes, verification } = openStreams();
    open();
    verification.verify.mockRejectedValueOnce(new KindeApiKeyUnavailableError('an outage', { retryAfterSeconds: 1 }));
    await jest.advanceTimersByTimeAsync(5_000);
    open();
    verification.verify.mockRejectedValueOnce(new TypeError('a fault of the program'));
    await jest.advanceTimersByTimeAsync(5_000);
    expect(codes).toEqual(['VERIFICATION_UNAVAILABLE', 'VERIFICATION_UNAVAILABLE']);
  });

  it('end when the headers carry another key than the one that was accepted', async () => {
    const { open, codes } = openStreams();
    open({ ...API_KEY, keyId: 'api_key_2' });
    await jest.advanceTimersByTimeAsync(5_000);
    expect(codes).toEqual(['INVALID_KEY']);
  });

  it('end although another one fails to', async () => {
    const { open, streams, codes, invalidate } = openStreams(async () => ({ accepted: false, reason: 'revoked' }));
    streams.open(KEY, API_KEY, () => {
      throw new Error('an app failed');
    });
    open();
    invalidate('*');
    expect(codes).toEqual(['KEY_REVOKED']);
    open();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(codes).toEqual(['KEY_REVOKED', 'KEY_REVOKED']);
  });

  it('do not keep the process alive', () => {
    jest.useRealTimers();
    const started = jest.spyOn(globalThis, 'setInterval');
    const { open } = openStreams();
    const close = open();
    expect(started.mock.results[0]?.value.hasRef()).toBe(false);
    close();
    started.mockRestore();
  });

  it('leave nothing when they are closed, also twice', () => {
    const { open, codes, invalidate } = openStreams();
    const close = open();
    close();
    close();
    const closeLater = open();
    close();
    expect(jest.getTimerCount()).toBe(1);
    closeLater();
    invalidate('*');
    expect([codes, jest.getTimerCount()]).toEqual([[], 0]);
  });
});

it('streams do not need a service that tells about invalidations', () => {
  expect(() => new OpenStreams(Object.freeze({ verify: jest.fn() }), new TestClock())).not.toThrow();
});
