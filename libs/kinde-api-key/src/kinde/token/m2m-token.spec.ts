import fc from 'fast-check';
import { KindeApiKeyMisconfiguredError } from '../../kinde-api-key.errors.js';
import { TestClock } from '../../testing/index.js';
import { Deadline } from '../limits/deadline.js';
import { VerificationFailure } from '../verification-failure.js';
import { AccessToken } from './access-token.js';
import { M2mToken, type MintRequest } from './m2m-token.js';
import { UnusableMint } from './unusable-mint.js';

const never = () => new AbortController().signal;
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const DOWN = new VerificationFailure('kinde', 'down');
const REFUSED = new KindeApiKeyMisconfiguredError('refused', { retryAfterSeconds: 10 });

/** A token endpoint that answers when the spec tells it to: a socket cannot produce every order of events. */
function newToken(lifeMs = 1_000_000) {
  const clock = new TestClock(0);
  const mints: {
    request: MintRequest;
    issue(value: string): AccessToken;
    succeed(life?: number): AccessToken;
    giveBack(): void;
    fail(error: Error): void;
  }[] = [];
  const failures: Error[] = [];
  const endpoint = {
    mint: (request: MintRequest) =>
      new Promise<AccessToken>((resolve, reject) => {
        const sentAtMs = clock.now();
        const issue = (value: string, life = lifeMs) => {
          const issued = new AccessToken(value, sentAtMs, life);
          resolve(issued);
          return issued;
        };
        const number = mints.length + 1;
        const succeed = (life = lifeMs) => issue(`token-${number}`, life);
        const giveBack = () => resolve(request.held as AccessToken);
        mints.push({ request, issue, succeed, giveBack, fail: reject });
      }),
  };
  const token = new M2mToken(endpoint, clock, (error) => failures.push(error));
  const last = () => mints.at(-1) as (typeof mints)[number];
  /** Mints the first token. */
  const ready = async () => {
    const first = token.current(never());
    last().succeed();
    return first;
  };
  return { clock, token, mints, failures, last, ready };
}

describe('M2mToken.current', () => {
  it('mints once for concurrent callers', async () => {
    const { token, mints, last } = newToken();
    const callers = Array.from({ length: 100 }, () => token.current(never()));
    last().succeed();
    expect(new Set(await Promise.all(callers)).size).toBe(1);
    expect(mints).toHaveLength(1);
  });

  it('does not cancel the mint when one of two callers gives up', async () => {
    const { token, mints, last } = newToken();
    const deadline = new Deadline(60_000);
    const impatient = caught(token.current(deadline.signal));
    const patient = token.current(never());
    deadline.cancel(new VerificationFailure('deadline', 'over'));
    expect(await impatient).toMatchObject({ kind: 'deadline' });
    last().succeed();
    await expect(patient).resolves.toBeInstanceOf(AccessToken);
    expect(mints).toHaveLength(1);
  });

  it('mints once more for a caller whose joined mint failed', async () => {
    const { token, mints, last } = newToken();
    const first = caught(token.current(never()));
    const second = caught(token.current(never()));
    last().fail(DOWN);
    expect(await first).toBe(DOWN);
    await settle();
    expect(mints).toHaveLength(2);
    last().fail(DOWN);
    expect(await second).toBe(DOWN);
    expect(mints).toHaveLength(2);
  });

  it('does not mint again for a caller that gave up', async () => {
    const { token, mints, last } = newToken();
    const deadline = new Deadline(60_000);
    const both = [caught(token.current(never())), caught(token.current(deadline.signal))];
    deadline.cancel(new VerificationFailure('deadline', 'over'));
    last().fail(DOWN);
    await Promise.all(both);
    await settle();
    expect(mints).toHaveLength(1);
  });

  it('uses a token up to the last tenth of a short life, or the last 30 s of a long one', async () => {
    for (const [lifeMs, usedMs] of [
      [100_000, 90_000],
      [1_000_000, 970_000],
    ] as const) {
      const { clock, token, mints, ready } = newToken(lifeMs);
      const first = await ready();
      clock.set(usedMs - 1);
      expect(await token.current(never())).toBe(first);
      clock.set(usedMs);
      void token.current(never());
      expect(mints).toHaveLength(2);
    }
  });

  it('counts the life of a token from when its request was sent', async () => {
    const { clock, token, mints, last } = newToken(100_000);
    const first = token.current(never());
    clock.advance(50_000);
    last().succeed();
    await first;
    clock.set(89_999);
    await token.current(never());
    clock.set(90_000);
    void token.current(never());
    expect(mints).toHaveLength(2);
  });

  it('rejects a token that expired in flight, and does not mint for ten seconds', async () => {
    const { clock, token, mints, last } = newToken();
    const first = caught(token.current(never()));
    clock.advance(1_000);
    last().succeed(1_000);
    expect(await first).toMatchObject({ message: 'the M2M token had expired when it arrived' });
    clock.advance(9_999);
    expect(await caught(token.current(never()))).toMatchObject({
      message: 'the M2M token had expired when it arrived',
    });
    expect(mints).toHaveLength(1);
    clock.advance(1);
    void token.current(never());
    expect(mints).toHaveLength(2);
  });

  it('waits 10, 20, 40 s and up to an hour after tokens that cannot be used, which Kinde bills', async () => {
    const { clock, token, mints, last } = newToken();
    for (const seconds of [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600]) {
      const failing = caught(token.current(never()));
      last().fail(new UnusableMint('no lifetime'));
      expect(await failing).toBeInstanceOf(UnusableMint);
      const minted = mints.length;
      clock.advance(seconds * 1_000 - 1);
      expect(await caught(token.current(never()))).toBeInstanceOf(UnusableMint);
      expect(mints).toHaveLength(minted);
      clock.advance(1);
    }
  });

  it('does not mint for ten seconds after a refusal, and mints again at once after an outage', async () => {
    const { clock, token, mints, last } = newToken();
    const down = caught(token.current(never()));
    last().fail(DOWN);
    expect(await down).toBe(DOWN);
    const refused = caught(token.current(never()));
    last().fail(REFUSED);
    expect(await refused).toBe(REFUSED);
    clock.advance(9_999);
    expect(await caught(token.current(never()))).toBe(REFUSED);
    expect(mints).toHaveLength(2);
    clock.advance(1);
    void token.current(never());
    expect(mints).toHaveLength(3);
  });
});

describe('M2mToken.renewAhead', () => {
  it('mints once after four fifths of the life, and not before', async () => {
    const { clock, token, mints, ready } = newToken();
    token.renewAhead();
    expect(mints).toHaveLength(0);
    const first = await ready();
    clock.set(799_999);
    token.renewAhead();
    expect(mints).toHaveLength(1);
    clock.set(800_000);
    for (let index = 0; index < 10; index += 1) token.renewAhead();
    expect(mints).toHaveLength(2);
    expect(await token.current(never())).toBe(first);
  });

  it('replaces the current token when the new one arrives', async () => {
    const { clock, token, last, ready } = newToken();
    const first = await ready();
    clock.set(800_000);
    token.renewAhead();
    last().succeed();
    await settle();
    expect(await token.current(never())).not.toBe(first);
  });

  it('reports a failure, keeps the current token, and mints again after ten seconds', async () => {
    const { clock, token, mints, failures, last, ready } = newToken();
    const first = await ready();
    clock.set(800_000);
    token.renewAhead();
    clock.advance(2_000);
    last().fail(DOWN);
    await settle();
    expect(failures).toEqual([DOWN]);
    clock.advance(9_999);
    token.renewAhead();
    expect(await token.current(never())).toBe(first);
    expect(mints).toHaveLength(2);
    clock.advance(1);
    token.renewAhead();
    expect(mints).toHaveLength(3);
  });
});

describe('M2mToken.renewAfterRejection', () => {
  it('mints once for concurrent callers with the same rejected token', async () => {
    const { token, mints, last, ready } = newToken();
    const rejected = await ready();
    const callers = Array.from({ length: 100 }, () => token.renewAfterRejection(rejected, never()));
    last().succeed();
    const renewed = await Promise.all(callers);
    expect(new Set(renewed).size).toBe(1);
    expect(renewed[0]).not.toBe(rejected);
    expect(mints).toHaveLength(2);
  });

  it('returns the current token if an older one was rejected', async () => {
    const { clock, token, mints, last, ready } = newToken();
    const old = await ready();
    clock.set(970_000);
    const next = token.current(never());
    last().succeed();
    expect(await token.renewAfterRejection(old, never())).toBe(await next);
    expect(mints).toHaveLength(2);
  });

  it('returns another token for one that expired in flight, even right after a renewal', async () => {
    const { clock, token, last, ready } = newToken(10_000);
    const renewing = token.renewAfterRejection(await ready(), never());
    last().succeed();
    const renewed = (await renewing) as AccessToken;
    clock.advance(9_000);
    const next = token.renewAfterRejection(renewed, never());
    last().succeed();
    const tried = await next;
    expect(tried).toBeInstanceOf(AccessToken);
    expect(tried).not.toBe(renewed);
  });

  it('returns undefined within a minute of a renewal', async () => {
    const { clock, token, mints, last, ready } = newToken();
    const renewing = token.renewAfterRejection(await ready(), never());
    last().succeed();
    const renewed = (await renewing) as AccessToken;
    clock.advance(59_999);
    expect(await token.renewAfterRejection(renewed, never())).toBeUndefined();
    expect(mints).toHaveLength(2);
    clock.advance(1);
    void token.renewAfterRejection(renewed, never());
    expect(mints).toHaveLength(3);
  });

  it('fails if the mint returns the held token, which another instance renewed, and asks again after a second', async () => {
    const { clock, token, mints, last, ready } = newToken();
    const first = await ready();
    const renewed = caught(token.renewAfterRejection(first, never()));
    last().giveBack();
    expect(await renewed).toMatchObject({ message: 'another instance has just renewed the M2M token' });
    expect(await token.current(never())).toBe(first);
    clock.advance(1_000);
    void token.renewAfterRejection(first, never());
    expect(mints).toHaveLength(3);
  });

  it('returns undefined if Kinde issues the rejected token again, and does not mint for a minute', async () => {
    const { clock, token, mints, last, ready } = newToken();
    const first = await ready();
    const renewing = token.renewAfterRejection(first, never());
    last().issue(first.reveal());
    expect(await renewing).toBeUndefined();
    clock.advance(59_999);
    expect(await token.renewAfterRejection(await token.current(never()), never())).toBeUndefined();
    expect(mints).toHaveLength(2);
  });

  it('waits twice as long after each renewal, and a minute again once a renewal helped', async () => {
    const { clock, token, last, ready } = newToken(100_000_000);
    let current = await ready();
    const renew = async () => {
      const renewing = token.renewAfterRejection(current, never());
      last().succeed();
      current = (await renewing) as AccessToken;
    };
    for (const pauseMs of [60_000, 120_000, 240_000]) {
      await renew();
      expect(token.forcedPauseMs).toBe(pauseMs);
      clock.advance(pauseMs);
    }
    await renew();
    token.renewalHelped();
    expect(token.forcedPauseMs).toBe(60_000);
  });

  it('passes the held token to the mint, and whether it was rejected', async () => {
    const { clock, token, mints, last, ready } = newToken();
    const first = await ready();
    clock.advance(800_000);
    token.renewAhead();
    last().succeed();
    await settle();
    const second = await token.current(never());
    void token.renewAfterRejection(second, never());
    expect(mints.map(({ request }) => request)).toEqual([
      { held: undefined, isForced: false },
      { held: first, isForced: false },
      { held: second, isForced: true },
    ]);
  });

  it('rejects after a renewal that failed until it is tried again, after 1, 2, 4 s and up to a minute', async () => {
    const { clock, token, mints, last, ready } = newToken();
    const rejected = await ready();
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const renewing = caught(token.renewAfterRejection(rejected, never()));
      last().fail(DOWN);
      expect(await renewing).toBe(DOWN);
      const minted = mints.length;
      clock.advance(seconds * 1_000 - 1);
      expect(await caught(token.renewAfterRejection(rejected, never()))).toBe(DOWN);
      expect(mints).toHaveLength(minted);
      clock.advance(1);
    }
    const renewing = token.renewAfterRejection(rejected, never());
    last().succeed();
    expect(await renewing).toBe(await token.current(never()));
  });

  it('rejects with a refusal of the last ten seconds without a mint', async () => {
    const { clock, token, mints, last, ready } = newToken();
    const rejected = await ready();
    clock.set(800_000);
    token.renewAhead();
    last().fail(REFUSED);
    await settle();
    expect(await caught(token.renewAfterRejection(rejected, never()))).toBe(REFUSED);
    expect(mints).toHaveLength(2);
  });

  it('joins a renewal in the background that is in flight', async () => {
    const { clock, token, mints, last, ready } = newToken();
    const rejected = await ready();
    clock.set(800_000);
    token.renewAhead();
    const renewing = token.renewAfterRejection(rejected, never());
    last().succeed();
    expect(await renewing).not.toBe(rejected);
    expect(mints).toHaveLength(2);
  });

  it('does not cancel the renewal when a caller gives up', async () => {
    const { token, last, ready } = newToken();
    const rejected = await ready();
    const deadline = new Deadline(60_000);
    const impatient = caught(token.renewAfterRejection(rejected, deadline.signal));
    deadline.cancel(new VerificationFailure('deadline', 'over'));
    expect(await impatient).toMatchObject({ kind: 'deadline' });
    last().succeed();
    await settle();
    expect(await token.current(never())).not.toBe(rejected);
  });
});

describe('M2mToken, under any order of events', () => {
  it('never returns an expired token, never mints twice at once, and renews at most once a minute for rejections', async () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
      fc.record({
        op: fc.constantFrom(
          'current' as const,
          'ahead' as const,
          'reject' as const,
          'down' as const,
          'refuse' as const,
          'succeed' as const,
        ),
        ms: fc.constant(0),
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 10_000, max: 200_000 }),
        fc.array(step, { minLength: 10, maxLength: 60 }),
        async (lifeMs, steps) => {
          const { clock, token, mints, last } = newToken(lifeMs);
          let open = 0;
          let forcedMintsAtMs: number[] = [];
          let inUse: AccessToken | undefined;
          const use = (given: AccessToken) => {
            expect(clock.now()).toBeLessThan(given.usableUntilMs);
            inUse = given;
          };
          for (const { op, ms } of steps) {
            const before = mints.length;
            if (op === 'advance') clock.advance(ms);
            if (op === 'current') token.current(never()).then(use, () => undefined);
            if (op === 'ahead') token.renewAhead();
            if (op === 'reject' && inUse)
              token.renewAfterRejection(inUse, never()).then(
                () => undefined,
                () => undefined,
              );
            const isPending = open > 0;
            if (op === 'succeed' && isPending) {
              const { request, succeed } = last();
              const isUsable = clock.now() < succeed().usableUntilMs;
              if (request.isForced && isUsable) forcedMintsAtMs = [...forcedMintsAtMs, clock.now()];
            }
            if (op === 'down') mints.at(-1)?.fail(DOWN);
            if (op === 'refuse') mints.at(-1)?.fail(REFUSED);
            await settle();
            open = op === 'succeed' || op === 'down' || op === 'refuse' ? 0 : open;
            open += mints.length - before;
            expect(open).toBeLessThanOrEqual(1);
          }
          if (mints.length > 0) last().fail(DOWN);
          await settle();
          expect(
            forcedMintsAtMs.filter((atMs, index) => atMs - (forcedMintsAtMs[index - 1] ?? -Infinity) < 60_000),
          ).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
