import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiKeyGuard } from 'nestjs-kinde-api-key';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const badKey = (index: number) => `k_live_bad_${String(index).padStart(12, '0')}`;

describeAdapters('429 TOO_MANY_FAILED_ATTEMPTS', (adapter) => {
  let scenario: Scenario;

  beforeEach(async () => {
    scenario = await startScenario({
      adapter,
      controllers: [AnyController],
      options: { failedAttempts: { limit: 3, windowMs: 60_000 } },
    });
  });
  afterEach(() => scenario.close());

  it('answers a network that keeps sending bad keys until its window is over, without calling Kinde', async () => {
    for (const index of [1, 2, 3]) expect(await scenario.get('/', badKey(index))).toMatchObject({ status: 401 });
    const { verifies } = scenario.emulator.counters;
    const unseen = scenario.emulator.createKey().key;
    for (const key of [badKey(4), badKey(1), 'short', scenario.emulator.issueToken(), unseen]) {
      const answer = await scenario.get('/', key);
      expect(answer).toMatchObject({
        status: 429,
        body: { statusCode: 429, error: 'Too Many Requests', code: 'TOO_MANY_FAILED_ATTEMPTS' },
      });
      expect(answer.headers).toMatchObject({ 'retry-after': '60', 'cache-control': 'no-store' });
      expect(answer.headers).not.toHaveProperty('www-authenticate');
    }
    expect(scenario.emulator.counters.verifies).toBe(verifies);
    scenario.clock.advance(59_999);
    expect(await scenario.get('/', unseen)).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    scenario.clock.advance(1);
    expect(await scenario.get('/', unseen)).toMatchObject({ status: 200 });
  });

  it('never answers a key that was accepted before, even when it has to be verified again', async () => {
    const { key } = scenario.emulator.createKey();
    expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
    scenario.clock.advance(59_000);
    for (const index of [1, 2, 3, 4]) await scenario.get('/', badKey(index));
    expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
    scenario.clock.advance(1_000);
    const { verifies } = scenario.emulator.counters;
    expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
    expect(scenario.emulator.counters.verifies).toBeGreaterThanOrEqual(verifies);
    expect(await scenario.get('/', badKey(5))).toMatchObject({ status: 429 });
  });

  it('does not count requests without a key', async () => {
    for (let count = 0; count < 10; count += 1)
      expect(await scenario.get('/')).toMatchObject({ status: 401, body: { code: 'MISSING_KEY' } });
    expect(await scenario.get('/', badKey(1))).toMatchObject({ status: 401 });
  });

  it.each([
    ['one burst of 1,000', 1_000],
    ['bursts of 50', 50],
  ])(
    'calls Kinde at most for the limit and the verifications in progress, for 1,000 bad keys in %s',
    async (_case, size) => {
      await scenario.close();
      const [limit, maxConcurrent, maxQueued] = [50, 10, 45];
      scenario = await startScenario({
        adapter,
        controllers: [AnyController],
        options: { failedAttempts: { limit, windowMs: 60_000 }, kinde: { maxConcurrent, maxQueued } },
      });
      const statuses: number[] = [];
      for (let sent = 0; sent < 1_000; sent += size) {
        const burst = Array.from({ length: size }, async (_, index) => scenario.get('/', badKey(sent + index)));
        statuses.push(...(await Promise.all(burst)).map(({ status }) => status));
      }
      expect(scenario.emulator.counters.verifies).toBeLessThanOrEqual(
        limit + (size > limit ? maxConcurrent + maxQueued : 0),
      );
      expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(limit);
      expect(statuses.filter((status) => ![401, 429, 503].includes(status))).toEqual([]);
      expect(await scenario.get('/', scenario.emulator.createKey().key)).toMatchObject({ status: 429 });
    },
  );
});
