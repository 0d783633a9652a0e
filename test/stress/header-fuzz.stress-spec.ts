import { Controller, Get, UseGuards, type ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { ApiKeyGuard, ApiKeyRefusedException } from 'nestjs-kinde-api-key';
import { headerVariant, possibleKey, seeded } from '../support/header-fuzzer.js';
import { startScenario, type Scenario } from '../support/scenario.js';

jest.setTimeout(300_000);

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const VARIANTS = 100_000;
/** Maximum time of a refusal without a call, in µs: far above the usual, far below a catastrophic regular expression. */
const MAX_REFUSAL_US = 100_000;

/** Builds the context that the guard gets for a request. */
function contextOf(request: object): ExecutionContext {
  const response = { header: () => undefined };
  const context = new ExecutionContextHost(
    [request, response],
    AnyController,
    // oxlint-disable-next-line typescript/unbound-method -- Nest passes the unbound method
    AnyController.prototype.find,
  );
  context.setType('http');
  return context;
}

describe('100,000 header variants', () => {
  let scenario: Scenario;
  beforeAll(async () => {
    scenario = await startScenario({
      adapter: 'express',
      controllers: [AnyController],
      options: {
        credentials: [{ header: 'authorization', scheme: 'Bearer' }, { header: 'x-api-key' }],
        kinde: { maxPerSecond: 100_000 },
      },
    });
  });
  afterAll(() => scenario.close());

  it('are answered with 400 or 401, and reach Kinde only when they contain a possible key', async () => {
    const guard = scenario.app.get(ApiKeyGuard);
    const random = seeded(20_261_122);
    const refusedInUs: number[] = [];
    const statuses: Record<string, number> = {};
    const asked = new Set<string>();
    const unexpected: unknown[] = [];
    for (let index = 0; index < VARIANTS; index += 1) {
      const variant = headerVariant(random);
      const key = possibleKey(variant);
      const before = scenario.emulator.counters.verifies;
      const context = contextOf(variant);
      const startedAtMs = performance.now();
      let outcome: unknown;
      let isAnsweredAtOnce = true;
      try {
        const answer = guard.canActivate(context);
        isAnsweredAtOnce = !(answer instanceof Promise);
        outcome = await answer;
      } catch (error) {
        outcome = error;
      }
      const tookUs = (performance.now() - startedAtMs) * 1_000;
      if (key === undefined) refusedInUs.push(tookUs);
      const reached = scenario.emulator.counters.verifies - before;
      const isExpected = key === undefined ? reached === 0 && isAnsweredAtOnce : reached === (asked.has(key) ? 0 : 1);
      const status = outcome instanceof ApiKeyRefusedException ? outcome.getStatus() : outcome;
      if (!isExpected || (status !== 400 && status !== 401)) unexpected.push({ variant, key, reached, status });
      if (key !== undefined) asked.add(key);
      const name =
        outcome instanceof ApiKeyRefusedException ? `${outcome.getStatus()} ${outcome.code}` : String(outcome);
      statuses[name] = (statuses[name] ?? 0) + 1;
    }
    expect(unexpected.slice(0, 5)).toEqual([]);
    expect(Object.keys(statuses).sort()).toEqual([
      '400 MALFORMED_REQUEST',
      '401 INVALID_KEY',
      '401 MISSING_KEY',
      '401 WRONG_CREDENTIAL_TYPE',
    ]);
    expect(asked.size).toBeGreaterThan(VARIANTS / 100);
    refusedInUs.sort((one, other) => one - other);
    const at = (share: number): number => refusedInUs[Math.floor((refusedInUs.length - 1) * share)] ?? 0;
    // oxlint-disable-next-line no-console -- prints the measured values
    console.log(
      `${VARIANTS} header variants: ${JSON.stringify(statuses)}, ${asked.size} asked about; refused without a call in ` +
        `${at(0.5).toFixed(1)} µs (median), ${at(0.99).toFixed(1)} µs (99 %), ${at(1).toFixed(0)} µs (slowest)`,
    );
    expect(at(1)).toBeLessThan(MAX_REFUSAL_US);
  });
});
