import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiKeyGuard } from 'nestjs-kinde-api-key';
import { startScenario, type Scenario } from '../support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const CALLS = { calls: 5, windowMs: 5_000 };
const SECONDS = 600;
const BAD_PER_SECOND = 10;
const KNOWN = 17;
const badKey = (index: number) => `k_live_bad_${String(index).padStart(20, '0')}`;

jest.setTimeout(300_000);

describe('a flood of ten times the calls that Kinde allows', () => {
  let scenario: Scenario;
  afterEach(() => scenario.close());

  it('refuses none of 10,200 requests with known keys in ten minutes, while new keys are verified, too', async () => {
    scenario = await startScenario({
      adapter: 'fastify',
      controllers: [AnyController],
      options: { kinde: { maxPerSecond: 10_000, maxQueued: 50 } },
      emulator: { callLimit: CALLS },
    });
    const { emulator, clock } = scenario;
    const known: string[] = [];
    for (let index = 0; index < KNOWN; index += 1) {
      const { key } = emulator.createKey();
      expect(await scenario.get('/', key)).toMatchObject({ status: 200 });
      known.push(key);
      clock.advance(CALLS.windowMs / CALLS.calls);
    }
    const answers: Record<string, Record<number, number>> = { known: {}, bad: {} };
    const send = async (kind: 'known' | 'bad', key: string): Promise<void> => {
      const { status } = await scenario.get('/', key);
      const counts = answers[kind] ?? {};
      counts[status] = (counts[status] ?? 0) + 1;
    };
    const flood: Promise<void>[] = [];
    for (let second = 0; second < SECONDS; second += 1) {
      clock.advance(1_000);
      for (let index = 0; index < BAD_PER_SECOND; index += 1)
        flood.push(send('bad', badKey(second * BAD_PER_SECOND + index)));
      await Promise.all(known.map((key) => send('known', key)));
    }
    // New keys may wait in their queue. They are slowed down by the machine's clock, too, for which the known keys do not wait.
    await Promise.all(flood);
    expect(answers['known']).toEqual({ 200: KNOWN * SECONDS });
    expect(Object.keys(answers['bad'] ?? {})).toEqual(['401', '503']);
  });
});
