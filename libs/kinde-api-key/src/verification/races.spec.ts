import fc from 'fast-check';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { KeyAnswer } from '../kinde/key-verifier.js';
import type { Lane } from './api-key-verification.service.js';
import type { Verdict } from '../api-key/verdict.js';
import { TestClock } from '../testing/index.js';
import {
  ApiKeyVerificationService,
  type VerifierPort,
  type VerificationOptions,
} from './api-key-verification.service.js';

const OPTIONS: VerificationOptions = {
  ttlMs: 60_000,
  staleIfErrorMs: 240_000,
  negativeTtlMs: 10_000,
  maxKeys: 100,
  maxRefusals: 100,
};
const MAX_ACCEPTED_AGE_MS = OPTIONS.ttlMs + OPTIONS.staleIfErrorMs;
const OWNERS = [
  { keyId: 'api_key_0', orgCode: 'org_a', userId: null },
  { keyId: 'api_key_1', orgCode: 'org_a', userId: 'kp_1' },
  { keyId: 'api_key_2', orgCode: null, userId: 'kp_1' },
] as const;
type Owner = (typeof OWNERS)[number];

/** What Kinde knew about a key's secrets, and from when on. */
interface Change {
  readonly order: number;
  /** The generation of the secret that is valid; `null`: none, the key is revoked. */
  readonly generation: number | null;
}

/** Kinde as it is: it decides at the moment at which the call is sent, and its answer comes whenever the scheduler says. */
class Model implements VerifierPort {
  /** Counts everything that happens: the time that the clock's milliseconds are too coarse for. */
  order = 0;
  readonly generations = OWNERS.map(() => 0);
  readonly changes: Change[][] = OWNERS.map(() => [{ order: 0, generation: 0 }]);
  readonly forgottenAt = OWNERS.map(() => -1);
  /** For each key the newest secret that the service has been told about since the key was last forgotten. */
  readonly newestTold = OWNERS.map(() => -1);
  readonly sent: { rawKey: string; order: number; atMs: number; told: boolean; accepted: boolean }[] = [];
  isDown = false;

  constructor(
    private readonly scheduler: fc.Scheduler,
    private readonly clock: TestClock,
  ) {}

  rawKey(index: number, generation: number): string {
    return `k_live_${index}_secret_of_generation_${generation}`;
  }

  change(index: number, generation: number | null): void {
    this.order += 1;
    if (generation !== null) this.generations[index] = generation;
    this.changes[index]?.push({ order: this.order, generation });
  }

  async verifyKey(rawKey: string, _lane: Lane): Promise<KeyAnswer> {
    const sentAtMs = this.clock.now();
    const [index = 0, generation = 0] = (rawKey.match(/\d+/g) ?? []).map(Number);
    const valid = this.changes[index]?.at(-1)?.generation;
    const isDown = this.isDown;
    const accepted = !isDown && valid === generation;
    this.order += 1;
    const call = { rawKey, order: this.order, atMs: sentAtMs, told: false, accepted };
    this.sent.push(call);
    await this.scheduler.schedule(Promise.resolve(), `answer about ${rawKey}`);
    if (isDown) throw new KindeApiKeyUnavailableError('down', { retryAfterSeconds: 5 });
    call.told = true;
    if (accepted && call.order > (this.forgottenAt[index] ?? -1)) {
      this.newestTold[index] = Math.max(this.newestTold[index] ?? -1, generation);
    }
    return {
      verdict: accepted ? acceptedFor(OWNERS[index] ?? OWNERS[0]) : { accepted: false, reason: 'unknown' },
      sentAtMs,
    };
  }

  forget(matches: (owner: Owner) => boolean): void {
    this.order += 1;
    for (const [index, owner] of OWNERS.entries()) {
      if (!matches(owner)) continue;
      this.forgottenAt[index] = this.order;
      this.newestTold[index] = -1;
    }
  }
}

function acceptedFor(owner: Owner): Verdict {
  return {
    accepted: true,
    apiKey: {
      ...owner,
      scopes: [],
      ownerType: owner.userId ? 'user' : 'organization',
      lastVerifiedOn: null,
      verificationCount: null,
    },
  };
}

const key = fc.nat({ max: OWNERS.length - 1 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ask' as const), key, back: fc.nat({ max: 1 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rotate' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('invalidate key' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('invalidate organization' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('invalidate user' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('invalidate all' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('outage' as const), isDown: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      // Nothing, into the time of refreshing ahead, beyond the time to live, beyond every bound.
      ms: fc.constantFrom(0, 1, 999, 9_999, 47_999, 48_000, 59_999, 60_000, 299_999, 300_000),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function run(service: ApiKeyVerificationService, model: Model, clock: TestClock, todo: Step): Promise<void> {
  switch (todo.do) {
    case 'ask': {
      const generation = Math.max(0, (model.generations[todo.key] ?? 0) - todo.back);
      service.verify(model.rawKey(todo.key, generation)).catch(() => undefined);
      return;
    }
    case 'rotate':
      return model.change(todo.key, (model.generations[todo.key] ?? 0) + 1);
    case 'revoke':
      return model.change(todo.key, null);
    case 'invalidate key': {
      const { keyId } = OWNERS[todo.key] ?? OWNERS[0];
      model.forget((owner) => owner.keyId === keyId);
      return service.invalidate({ keyId });
    }
    case 'invalidate organization':
      model.forget(({ orgCode }) => orgCode === 'org_a');
      return service.invalidate({ orgCode: 'org_a' });
    case 'invalidate user':
      model.forget(({ userId }) => userId === 'kp_1');
      return service.invalidate({ userId: 'kp_1' });
    case 'invalidate all':
      model.forget(() => true);
      return service.invalidateAll();
    case 'outage':
      model.isDown = todo.isDown;
      return;
    case 'wait':
      clock.advance(todo.ms);
  }
}

/** What the cache may say of a secret at this moment, by the model alone. */
function check(service: ApiKeyVerificationService, model: Model, clock: TestClock): void {
  for (const [index] of OWNERS.entries()) {
    for (let generation = 0; generation <= (model.generations[index] ?? 0); generation += 1) {
      const rawKey = model.rawKey(index, generation);
      const before = model.sent.length;
      const verdict = service.verifyCached(rawKey);
      // Looking may start a refresh; what it looks like is no different for that.
      if (!verdict?.accepted) continue;
      const evidence = model.sent
        .slice(0, before)
        .filter(
          (call) =>
            call.rawKey === rawKey && call.told && call.accepted && call.order > (model.forgottenAt[index] ?? -1),
        );
      const youngest = Math.max(...evidence.map(({ atMs }) => atMs));
      expect({ rawKey, evidence: evidence.length > 0 }).toEqual({ rawKey, evidence: true });
      expect(clock.now() - youngest).toBeLessThan(MAX_ACCEPTED_AGE_MS);
      expect({ rawKey, newest: model.newestTold[index] }).toEqual({ rawKey, newest: generation });
      const refusals = model.sent.filter(
        (call) =>
          call.rawKey === rawKey &&
          call.told &&
          !call.accepted &&
          call.order > Math.max(...evidence.map(({ order }) => order)),
      );
      expect({ rawKey, refusedSince: refusals.length }).toEqual({ rawKey, refusedSince: 0 });
      expect(verdict.apiKey.keyId).toBe(OWNERS[index]?.keyId);
    }
  }
}

describe('ApiKeyVerificationService', () => {
  it('accepts from memory only what Kinde said after the latest invalidation, within the bound, of the newest secret, whatever the order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 2, maxLength: 25 }), async (scheduler, steps) => {
        const clock = new TestClock(1_000_000);
        const model = new Model(scheduler, clock);
        const service = new ApiKeyVerificationService(model, OPTIONS, clock);
        const sequence = scheduler.scheduleSequence(
          steps.map((todo) => ({
            label: JSON.stringify(todo),
            builder: async () => {
              await run(service, model, clock, todo);
              check(service, model, clock);
            },
          })),
        );
        await scheduler.waitFor(sequence.task);
        expect(sequence).toMatchObject({ faulty: false });
        await scheduler.waitIdle();
        check(service, model, clock);
      }),
      { numRuns: 3_000 },
    );
  });

  it('gives every caller an end, and keeps no flight, whatever the order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 2, maxLength: 25 }), async (scheduler, steps) => {
        const clock = new TestClock(1_000_000);
        const model = new Model(scheduler, clock);
        const service = new ApiKeyVerificationService(model, OPTIONS, clock);
        for (const todo of steps) await run(service, model, clock, todo);
        await scheduler.waitIdle();
        model.isDown = false;
        clock.advance(MAX_ACCEPTED_AGE_MS);
        const sentBefore = model.sent.length;
        const verdicts = OWNERS.map((_owner, index) => service.verify(model.rawKey(index, 0)));
        await scheduler.waitIdle();
        const isValid = model.changes.map((changes) => changes.at(-1)?.generation === 0);
        expect((await Promise.all(verdicts)).map(({ accepted }) => accepted)).toEqual(isValid);
        expect(model.sent.length - sentBefore).toBe(OWNERS.length);
      }),
      { numRuns: 300 },
    );
  });
});
