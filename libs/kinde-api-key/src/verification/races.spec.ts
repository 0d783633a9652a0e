import fc from 'fast-check';
import { KindeApiKeyUnavailableError } from '../kinde-api-key.errors.js';
import type { RawKey } from '../api-key/raw-key.js';
import type { KeyAnswer, KeyVerifier } from '../kinde/key-verifier.js';
import type { ResolvedCacheOptions } from '../config/resolved-options.js';
import type { Verdict } from '../api-key/verdict.js';
import { TestClock } from '../testing/index.js';
import { ApiKeyVerificationService } from './api-key-verification.service.js';

const OPTIONS: ResolvedCacheOptions = {
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

/** A change of a key at Kinde. */
interface Change {
  readonly order: number;
  /** The generation of the secret that is valid, or `null` for a revoked key. */
  readonly generation: number | null;
}

/** A model of Kinde. It decides when the call is sent, and answers when the scheduler runs the answer. */
class Model implements Pick<KeyVerifier, 'verify'> {
  /** Counts every event, because events of one millisecond have an order too. */
  order = 0;
  readonly generations = OWNERS.map(() => 0);
  readonly changes: Change[][] = OWNERS.map(() => [{ order: 0, generation: 0 }]);
  readonly invalidatedAt = OWNERS.map(() => -1);
  /** For each key the newest secret in an answer since the key was last invalidated. */
  readonly newestAnswered = OWNERS.map(() => -1);
  readonly sent: { rawKey: string; order: number; atMs: number; isAnswered: boolean; accepted: boolean }[] = [];
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

  async verify(key: RawKey): Promise<KeyAnswer> {
    const rawKey = key.reveal();
    const sentAtMs = this.clock.now();
    const [index = 0, generation = 0] = (rawKey.match(/\d+/g) ?? []).map(Number);
    const valid = this.changes[index]?.at(-1)?.generation;
    const isDown = this.isDown;
    const accepted = !isDown && valid === generation;
    this.order += 1;
    const call = { rawKey, order: this.order, atMs: sentAtMs, isAnswered: false, accepted };
    this.sent.push(call);
    await this.scheduler.schedule(Promise.resolve(), `answer about ${rawKey}`);
    if (isDown) throw new KindeApiKeyUnavailableError('down', { retryAfterSeconds: 5 });
    call.isAnswered = true;
    if (accepted && call.order > (this.invalidatedAt[index] ?? -1)) {
      this.newestAnswered[index] = Math.max(this.newestAnswered[index] ?? -1, generation);
    }
    return {
      verdict: accepted ? acceptedFor(OWNERS[index] ?? OWNERS[0]) : { accepted: false, reason: 'unknown' },
      sentAtMs,
    };
  }

  invalidate(matches: (owner: Owner) => boolean): void {
    this.order += 1;
    for (const [index, owner] of OWNERS.entries()) {
      if (!matches(owner)) continue;
      this.invalidatedAt[index] = this.order;
      this.newestAnswered[index] = -1;
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
      // Around each limit: none, the refresh ahead, the time to live, the maximum accepted age.
      ms: fc.constantFrom(0, 1, 999, 9_999, 47_999, 48_000, 59_999, 60_000, 299_999, 300_000),
    }),
  },
);
const steps = fc.array(step, { minLength: 2, maxLength: 25, size: 'max' });
/** With 1 and 2, keys are evicted. */
const maxKeys = fc.oneof({ weight: 3, arbitrary: fc.constant(100) }, fc.constantFrom(1, 2));
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
      model.invalidate((owner) => owner.keyId === keyId);
      return service.invalidate({ keyId });
    }
    case 'invalidate organization':
      model.invalidate(({ orgCode }) => orgCode === 'org_a');
      return service.invalidate({ orgCode: 'org_a' });
    case 'invalidate user':
      model.invalidate(({ userId }) => userId === 'kp_1');
      return service.invalidate({ userId: 'kp_1' });
    case 'invalidate all':
      model.invalidate(() => true);
      return service.invalidateAll();
    case 'outage':
      model.isDown = todo.isDown;
      return;
    case 'wait':
      clock.advance(todo.ms);
  }
}

/** Compares each cached verdict with what the model allows at this moment. */
function check(service: ApiKeyVerificationService, model: Model, clock: TestClock): void {
  for (const [index] of OWNERS.entries()) {
    for (let generation = 0; generation <= (model.generations[index] ?? 0); generation += 1) {
      const rawKey = model.rawKey(index, generation);
      const before = model.sent.length;
      const verdict = service.verifyCached(rawKey);
      // The lookup may have started a refresh, which does not change its result.
      if (!verdict?.accepted) continue;
      const evidence = model.sent
        .slice(0, before)
        .filter(
          (call) =>
            call.rawKey === rawKey &&
            call.isAnswered &&
            call.accepted &&
            call.order > (model.invalidatedAt[index] ?? -1),
        );
      const youngest = Math.max(...evidence.map(({ atMs }) => atMs));
      expect({ rawKey, evidence: evidence.length > 0 }).toEqual({ rawKey, evidence: true });
      expect(clock.now() - youngest).toBeLessThan(MAX_ACCEPTED_AGE_MS);
      expect({ rawKey, newest: model.newestAnswered[index] }).toEqual({ rawKey, newest: generation });
      const refusals = model.sent.filter(
        (call) =>
          call.rawKey === rawKey &&
          call.isAnswered &&
          !call.accepted &&
          call.order > Math.max(...evidence.map(({ order }) => order)),
      );
      expect({ rawKey, refusedSince: refusals.length }).toEqual({ rawKey, refusedSince: 0 });
      expect(verdict.apiKey.keyId).toBe(OWNERS[index]?.keyId);
    }
  }
}

describe('ApiKeyVerificationService', () => {
  it('serves only cached verdicts about the newest secret, from after the last invalidation and within the maximum age, in any order of events', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), steps, maxKeys, async (scheduler, todos, max) => {
        const clock = new TestClock(1_000_000);
        const model = new Model(scheduler, clock);
        const service = new ApiKeyVerificationService(model, { ...OPTIONS, maxKeys: max }, clock);
        const sequence = scheduler.scheduleSequence(
          todos.map((todo) => ({
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
      { numRuns: 2_000 },
    );
  });

  it('settles every call and keeps none in flight, in any order of events', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), steps, maxKeys, async (scheduler, todos, max) => {
        const clock = new TestClock(1_000_000);
        const model = new Model(scheduler, clock);
        const service = new ApiKeyVerificationService(model, { ...OPTIONS, maxKeys: max }, clock);
        for (const todo of todos) await run(service, model, clock, todo);
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
