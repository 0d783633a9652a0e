import { Agent } from 'node:http';
import { newVerifier, unknownKey } from '../../../../test/support/key-verifier.js';
import { Relay, type RelayMode } from '../../../../test/support/relay.js';
import type { ResolvedOptions } from '../config/resolved-options.js';
import { KindeEmulator, TestClock } from '../testing/index.js';
import { AxiosKindeHttp, unsharedHttpService } from './axios-http.js';

const clock = new TestClock();
const cleanups: (() => unknown)[] = [];
let kinde: KindeEmulator;
let relay: Relay;

beforeAll(async () => {
  kinde = await KindeEmulator.start({ clock });
});
afterAll(() => kinde.stop());
beforeEach(async () => {
  relay = await Relay.start(Number(new URL(kinde.domain).port));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
  kinde.clearFaults();
  kinde.resetCounters();
  await relay.stop();
});

/** Milliseconds after which a kept connection is not trusted. A busy machine takes less. */
const PATIENCE_MS = 10_000;
const IMPATIENT_MS = 100;

/** A verifier that reaches Kinde through the relay. */
function start(patienceMs = PATIENCE_MS, http: Partial<ResolvedOptions['http']> = {}) {
  const started = newVerifier(kinde, clock, {
    origin: relay.origin,
    audience: `${kinde.domain}/api`,
    timeoutMs: 20_000,
    http: new AxiosKindeHttp(unsharedHttpService(), http, patienceMs),
  });
  cleanups.push(() => started.verifier.close());
  const outcomeOf = (key: string) =>
    started.verify(key).then(
      ({ verdict }) => (verdict.accepted ? 'accepted' : verdict.reason),
      ({ message }: Error) => message,
    );
  /** Fills the pool with connections. */
  const open = async (count: number): Promise<void> => {
    let release = (): void => {};
    const holdUntil = new Promise<void>((resolve) => (release = resolve));
    await outcomeOf(unknownKey());
    kinde.failNext({ holdUntil }, { times: count, where: 'verify' });
    const calls = Array.from({ length: count }, (_, index) => outcomeOf(unknownKey(index)));
    while (kinde.counters.verifies <= count) await kinde.nextRequest('verify');
    release();
    await Promise.all(calls);
    expect(relay.open).toBeGreaterThanOrEqual(count);
  };
  return { ...started, outcomeOf, open };
}

const DEAD: readonly RelayMode[] = ['reset', 'close', 'silent'];
const patienceFor = (mode: RelayMode): number => (mode === 'silent' ? IMPATIENT_MS : PATIENCE_MS);

describe('KeyVerifier with twenty connections that died unnoticed', () => {
  it.each(DEAD)('accepts twenty new keys, one after another (%s)', async (mode) => {
    const { outcomeOf, open, lines } = start(patienceFor(mode));
    await open(20);
    relay.breakOpen(mode);
    const outcomes: string[] = [];
    for (let index = 0; index < 20; index += 1) outcomes.push(await outcomeOf(kinde.createKey().key));
    expect(outcomes).toEqual(Array(20).fill('accepted'));
    expect(lines).toEqual([]);
  });

  it.each(DEAD)('accepts twenty new keys at once (%s)', async (mode) => {
    const { outcomeOf, open, lines } = start(patienceFor(mode));
    await open(20);
    relay.breakOpen(mode);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcomeOf(kinde.createKey().key)));
    expect(outcomes).toEqual(Array(20).fill('accepted'));
    expect(lines).toEqual([]);
  });

  it.each(DEAD)(
    'accepts a new key over an agent of the app (%s), whose other connections it does not break',
    async (mode) => {
      const httpAgent = new Agent({ keepAlive: true });
      cleanups.push(() => httpAgent.destroy());
      const { outcomeOf, open } = start(patienceFor(mode), { httpAgent });
      await open(20);
      relay.breakOpen(mode);
      expect(await outcomeOf(kinde.createKey().key)).toBe('accepted');
    },
  );

  it.each(DEAD)('mints a token over a fresh connection (%s)', async (mode) => {
    const { outcomeOf, open } = start(patienceFor(mode));
    await open(3);
    relay.breakOpen(mode);
    clock.advance(86_400_000);
    expect(await outcomeOf(kinde.createKey().key)).toBe('accepted');
    expect(kinde.counters.mints).toBe(2);
  });

  it('sends a call once more, and not again, if fresh connections fail as well', async () => {
    const { outcomeOf, open } = start();
    await open(1);
    relay.breakOpen('reset');
    relay.breakNew('reset');
    const { opened } = relay;
    expect(await outcomeOf(unknownKey(1))).toContain('ECONNRESET');
    expect(relay.opened).toBe(opened + 1);
  });

  it('counts a dead connection once for the circuit, whatever the number of tries', async () => {
    const { outcomeOf, open } = start();
    await open(1);
    relay.breakOpen('reset');
    relay.breakNew('reset');
    for (let index = 0; index < 9; index += 1) await outcomeOf(unknownKey(index));
    relay.breakNew('pass');
    expect(await outcomeOf(kinde.createKey().key)).toBe('accepted');
  });
});

describe('KeyVerifier with a connection that is alive', () => {
  it('takes the late answer of a slow Kinde, although the call was sent again', async () => {
    const { outcomeOf, open } = start(IMPATIENT_MS);
    await open(1);
    const { key } = kinde.createKey();
    let answer = (): void => {};
    kinde.failNext({ holdUntil: new Promise<void>((resolve) => (answer = resolve)) }, 'verify');
    kinde.failNext({ hang: true }, 'verify');
    const verified = outcomeOf(key);
    await kinde.nextRequest('verify');
    await kinde.nextRequest('verify');
    answer();
    expect(await verified).toBe('accepted');
  });

  it('does not send a call again once its answer has begun', async () => {
    const { outcomeOf, open } = start();
    await open(1);
    kinde.failNext({ truncated: true }, 'verify');
    expect(await outcomeOf(kinde.createKey().key)).toContain('broke off');
    expect(kinde.counters.verifies).toBe(3);
  });

  it('does not send a call again that a fresh connection carries', async () => {
    const { outcomeOf } = start();
    relay.breakNew('reset');
    expect(await outcomeOf(unknownKey())).toContain('ECONNRESET');
    expect(relay.opened).toBe(1);
  });

  it('reads an answer that comes byte by byte', async () => {
    const { outcomeOf, open } = start();
    await open(1);
    relay.drip(1);
    expect(await outcomeOf(kinde.createKey().key)).toBe('accepted');
  });

  it('does not use an answer whose status line was rewritten', async () => {
    const { outcomeOf, open } = start();
    await open(1);
    relay.rewrite((answer) => answer.replace('HTTP/1.1 200 OK', 'HTTP/1.1 203 Changed'));
    expect(await outcomeOf(kinde.createKey().key)).toContain('status 203');
  });
});
