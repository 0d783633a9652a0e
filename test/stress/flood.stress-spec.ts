import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, ApiKeyVerificationService } from 'nestjs-kinde-api-key';
import { ADAPTERS, startScenario, type Scenario } from '../support/scenario.js';

jest.setTimeout(300_000);

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const FLOOD = 100_000;
/** Concurrent callers. Most of them wait in the queue for new keys; a refresh behind them would wait for as many answers. */
const WORKERS = 1_000;
const KNOWN = 20;
const MAX_REFUSALS = 5_000;
const badKey = (index: number) => `k_live_bad_${String(index).padStart(20, '0')}`;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const heapMb = (): number => {
  collectGarbage();
  return process.memoryUsage().heapUsed / 1_048_576;
};

/** Verifies `count` different bad keys with {@link WORKERS} concurrent callers. Returns the number of each outcome. */
async function flood(
  service: ApiKeyVerificationService,
  count: number,
  onAnswer: (answered: number) => void = () => {},
): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  let next = 0;
  let answered = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const key = badKey((next += 1));
      const outcome = await service.verify(key).then(
        (verdict) => (verdict.accepted ? 'accepted' : verdict.reason),
        (error: Error) => error.name,
      );
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      onAnswer((answered += 1));
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return outcomes;
}

describe('a flood of bad keys', () => {
  let scenario: Scenario;
  let service: ApiKeyVerificationService;
  const start = async (kinde: object) => {
    scenario = await startScenario({ adapter: 'express', controllers: [AnyController], options: { kinde } });
    service = scenario.app.get(ApiKeyVerificationService);
  };
  const acceptKeys = async (count: number) => {
    const keys = Array.from({ length: count }, () => scenario.emulator.createKey());
    for (const { key } of keys) expect(await service.verify(key)).toMatchObject({ accepted: true });
    return keys;
  };
  afterEach(() => scenario.close());

  it('does not evict or delay known keys, mints at most two tokens and is bounded in memory (100,000 keys, each answered 401)', async () => {
    await start({ maxPerSecond: 100_000, timeoutMs: 60_000 });
    const { emulator, clock } = scenario;
    const known = await acceptKeys(KNOWN);
    emulator.invalidKeyAnswer = 401;
    await flood(service, 1_000);
    const idleMb = heapMb();
    const refreshedAfter = new Map<string, number>();
    let refreshStartedAt = Infinity;
    const outcomes = await flood(service, FLOOD, (answered) => {
      if (emulator.counters.mints > 2)
        throw new Error(`${emulator.counters.mints} tokens minted after ${answered} bad keys`);
      for (const { keyId, key } of known) {
        const verdict = service.verifyCached(key);
        if (!verdict?.accepted) throw new Error(`${keyId} was evicted after ${answered} bad keys`);
        const isRefreshed = (verdict.apiKey.verificationCount ?? 0) > 1;
        if (isRefreshed && !refreshedAfter.has(keyId)) refreshedAfter.set(keyId, answered - refreshStartedAt);
      }
      // From here on the known keys are refreshed, in the middle of the flood.
      if (answered === FLOOD / 2) {
        clock.advance(50_000);
        refreshStartedAt = answered;
      }
    });
    const grownMb = heapMb() - idleMb;
    expect(outcomes).toEqual({ unknown: FLOOD });
    expect(refreshedAfter.size).toBe(KNOWN);
    // No refresh waited behind the queued new keys.
    expect(Math.max(...refreshedAfter.values())).toBeLessThan(WORKERS - 64);
    expect(emulator.counters.mints).toBeLessThanOrEqual(2);
    expect(emulator.counters.tokenRequests).toBeLessThanOrEqual(2);
    expect(grownMb).toBeLessThan(20);
    const { verifies } = emulator.counters;
    for (let index = FLOOD; index > FLOOD - MAX_REFUSALS + WORKERS; index -= 1) {
      expect(service.verifyCached(badKey(index))).toEqual({ accepted: false, reason: 'unknown' });
    }
    expect(emulator.counters.verifies).toBe(verifies);
    // oxlint-disable-next-line no-console -- prints the measured values
    console.log(
      `${FLOOD} bad keys: ${emulator.counters.mints} mints, known keys refreshed within ` +
        `${Math.max(...refreshedAfter.values())} answers of the flood, heap ${grownMb.toFixed(1)} MB above idle`,
    );
  });

  it('does not delay the refresh of a known key when the queue for new keys is full', async () => {
    await start({ maxPerSecond: 100_000, timeoutMs: 60_000, maxConcurrent: 8, maxQueued: 1_000 });
    const { emulator, clock } = scenario;
    const [known] = await acceptKeys(1);
    let release = (): void => undefined;
    emulator.failUntilCleared({ holdUntil: new Promise<void>((resolve) => (release = resolve)) }, 'verify');
    emulator.resetCounters();
    const held: Promise<unknown>[] = [];
    for (let index = 0; index < 6; index += 1) {
      const arrival = emulator.nextRequest('verify');
      held.push(service.verify(badKey(index)).catch((error: unknown) => error));
      await arrival;
    }
    for (let index = 6; index < 1_006; index += 1)
      held.push(service.verify(badKey(index)).catch((error: unknown) => error));
    await expect(service.verify(badKey(1_006))).rejects.toMatchObject({ code: 'VERIFICATION_UNAVAILABLE' });
    expect(emulator.counters.verifies).toBe(6);
    emulator.clearFaults();
    clock.advance(60_000);
    expect(await service.verify(known?.key ?? '')).toMatchObject({ accepted: true, apiKey: { verificationCount: 2 } });
    expect(emulator.counters.verifies).toBe(7);
    release();
    const outcomes = await Promise.all(held);
    expect(new Set(outcomes.map((verdict) => JSON.stringify(verdict)))).toEqual(
      new Set([JSON.stringify({ accepted: false, reason: 'unknown' })]),
    );
  });
});

describe.each(ADAPTERS)('an outage with an open circuit on %s', (adapter) => {
  it('answers 1,000 requests with new keys with 503 and no call, and known keys with 200', async () => {
    const scenario = await startScenario({
      adapter,
      controllers: [AnyController],
      options: { kinde: { timeoutMs: 250, retries: 0 } },
    });
    const { emulator, clock } = scenario;
    const fresh = emulator.createKey().key;
    const stale = emulator.createKey().key;
    expect(await scenario.get('/', stale)).toMatchObject({ status: 200 });
    clock.advance(50_000);
    expect(await scenario.get('/', fresh)).toMatchObject({ status: 200 });
    clock.advance(15_000);
    emulator.failUntilCleared({ hang: true });
    await Promise.all(Array.from({ length: 10 }, (_value, index) => scenario.get('/', badKey(index))));
    emulator.resetCounters();
    const statuses: Record<string, number> = {};
    for (let round = 0; round < 20; round += 1) {
      const news = Array.from({ length: 50 }, (_value, index) => scenario.get('/', badKey(1_000 + round * 50 + index)));
      for (const key of [fresh, stale]) expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
      for (const { status } of await Promise.all(news)) statuses[status] = (statuses[status] ?? 0) + 1;
    }
    expect(statuses).toEqual({ 503: 1_000 });
    expect(emulator.counters.requests).toBe(0);
    await scenario.close();
  });
});
