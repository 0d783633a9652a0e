import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { TestClock } from '../../testing/index.js';
import { VerificationFailure } from '../verification-failure.js';
import { Admission, type AdmissionLimits, type Priority, type Release } from './admission.js';
import { Deadline } from './deadline.js';

/** The deadline of a caller that never gives up; without a timer, because some specs count timers. */
const never = (): Pick<Deadline, 'signal' | 'hasTimeToAsk'> => ({
  signal: new AbortController().signal,
  hasTimeToAsk: () => true,
});
const PLENTY: AdmissionLimits = { maxConcurrent: 4, maxPerSecond: 100_000, maxQueued: 10 };

/** What a promise is rejected with; taken at once, so that it never counts as unhandled. */
const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Lets promises that are settled already run their reactions. */
const settle = () => new Promise<void>((resolve) => process.nextTick(resolve));

/** An admission for which Kinde may be asked. */
const newAdmission = (limits: AdmissionLimits, now?: () => number) =>
  new Admission(limits, () => undefined, new TestClock(), now);

/** Records, by name, which callers were admitted and which were refused. */
class Callers {
  readonly admitted: string[] = [];
  readonly refused: string[] = [];
  readonly #releases = new Map<string, Release>();

  constructor(readonly admission: Admission) {}

  async enter(name: string, priority: Priority, deadline = never()): Promise<void> {
    this.admission.enter(priority, deadline).then(
      (release) => {
        this.admitted.push(name);
        this.#releases.set(name, release);
      },
      (failure: VerificationFailure) => this.refused.push(`${name}: ${failure.kind}`),
    );
    await settle();
  }

  async release(name: string): Promise<void> {
    this.#releases.get(name)?.();
    await settle();
  }
}

describe('Admission.begin', () => {
  const LIMITS: AdmissionLimits = { ...PLENTY, maxConcurrent: 1, maxQueued: 2 };
  const beginTimes = (admission: Admission, times: number, priority: Priority) =>
    Array.from({ length: times }, () => admission.begin(priority));

  it('allows maxConcurrent + maxQueued verifications of each priority, and one more after a release', () => {
    const admission = newAdmission(LIMITS);
    const [release] = beginTimes(admission, 3, 'new');
    expect(() => admission.begin('new')).toThrow(expect.objectContaining({ kind: 'busy' }));
    beginTimes(admission, 3, 'known');
    expect(() => admission.begin('known')).toThrow('too many verifications are in progress');
    release?.();
    admission.begin('new');
    expect(() => admission.begin('new')).toThrow('kinde.maxQueued');
  });

  it('throws the refusal while Kinde must not be asked', () => {
    let refusal: VerificationFailure | undefined = new VerificationFailure('circuit_open', 'later');
    const admission = new Admission(LIMITS, () => refusal, new TestClock());
    for (let index = 0; index < 10; index += 1) expect(() => admission.begin('new')).toThrow(refusal);
    refusal = undefined;
    expect(() => beginTimes(admission, 3, 'new')).not.toThrow();
  });
});

describe('Admission.enter', () => {
  it('keeps a quarter of the capacity for known keys', async () => {
    const callers = new Callers(newAdmission(PLENTY));
    for (const name of ['n1', 'n2', 'n3', 'n4']) await callers.enter(name, 'new');
    await callers.enter('p1', 'known');
    expect(callers.admitted).toEqual(['n1', 'n2', 'n3', 'p1']);
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 3],
    [7, 6],
    [8, 6],
    [64, 48],
  ])('with maxConcurrent %d admits %d new keys at once', async (maxConcurrent, admitted) => {
    const callers = new Callers(newAdmission({ ...PLENTY, maxConcurrent, maxQueued: 100 }));
    for (let index = 0; index < 70; index += 1) await callers.enter(`n${index}`, 'new');
    expect(callers.admitted).toHaveLength(admitted);
  });

  it('admits known keys up to maxConcurrent', async () => {
    const callers = new Callers(newAdmission(PLENTY));
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) await callers.enter(name, 'known');
    expect(callers.admitted).toEqual(['p1', 'p2', 'p3', 'p4']);
    expect(callers.admission.active).toBe(4);
  });

  it('serves known keys first, and each priority in the order of arrival', async () => {
    const callers = new Callers(newAdmission({ ...PLENTY, maxConcurrent: 1 }));
    await callers.enter('first', 'new');
    await callers.enter('n1', 'new');
    await callers.enter('n2', 'new');
    await callers.enter('p1', 'known');
    await callers.enter('p2', 'known');
    for (const name of ['first', 'p1', 'p2', 'n1']) await callers.release(name);
    expect(callers.admitted).toEqual(['first', 'p1', 'p2', 'n1', 'n2']);
  });

  it('bounds the queue of each priority by maxQueued', async () => {
    const callers = new Callers(newAdmission({ ...PLENTY, maxConcurrent: 1, maxQueued: 1 }));
    await callers.enter('n1', 'new');
    await callers.enter('n2', 'new');
    await callers.enter('n3', 'new');
    await callers.enter('p1', 'known');
    await callers.enter('p2', 'known');
    expect(callers.refused).toEqual(['n3: busy', 'p2: busy']);
    expect(callers.admission.waiting).toBe(2);
  });

  it('does not queue with maxQueued 0', async () => {
    const callers = new Callers(newAdmission({ ...PLENTY, maxConcurrent: 2, maxQueued: 0 }));
    for (const name of ['n1', 'n2']) await callers.enter(name, 'new');
    await callers.release('n1');
    await callers.enter('n3', 'new');
    expect(callers.admitted).toEqual(['n1', 'n3']);
    expect(callers.refused).toEqual(['n2: busy']);
  });

  it('removes a cancelled caller from the queue, with the reason of its signal', async () => {
    const callers = new Callers(newAdmission({ ...PLENTY, maxConcurrent: 1 }));
    const deadline = new Deadline(60_000);
    await callers.enter('n1', 'new');
    await callers.enter('n2', 'new', deadline);
    await callers.enter('n3', 'new');
    deadline.cancel(new VerificationFailure('closed', 'over'));
    await settle();
    expect(callers.refused).toEqual(['n2: closed']);
    await callers.release('n1');
    expect(callers.admitted).toEqual(['n1', 'n3']);
  });

  it('rejects a caller whose signal is aborted already', async () => {
    const callers = new Callers(newAdmission(PLENTY));
    const deadline = new Deadline(60_000);
    deadline.cancel(new VerificationFailure('closed', 'over'));
    await callers.enter('n1', 'new', deadline);
    expect(callers).toMatchObject({ admitted: [], refused: ['n1: closed'] });
  });

  it('refuses every queued caller, and leaves calls in flight alone', async () => {
    const callers = new Callers(newAdmission({ ...PLENTY, maxConcurrent: 1 }));
    for (const name of ['n1', 'n2']) await callers.enter(name, 'new');
    await callers.enter('p1', 'known');
    callers.admission.refuseWaiting(new VerificationFailure('circuit_open', 'later'));
    await settle();
    expect(callers.refused.toSorted()).toEqual(['n2: circuit_open', 'p1: circuit_open']);
    expect(callers.admission).toMatchObject({ waiting: 0, active: 1 });
  });

  it('ignores the deadline of a caller that was admitted or refused', async () => {
    const callers = new Callers(newAdmission({ ...PLENTY, maxConcurrent: 1 }));
    const deadlines = [new Deadline(60_000), new Deadline(60_000), new Deadline(60_000)] as const;
    await callers.enter('n1', 'new');
    await callers.enter('n2', 'new', deadlines[0]);
    await callers.release('n1');
    await callers.enter('n3', 'new', deadlines[1]);
    callers.admission.refuseWaiting(new VerificationFailure('circuit_open', 'later'));
    for (const deadline of deadlines) deadline.cancel(new VerificationFailure('closed', 'over'));
    await settle();
    expect(callers).toMatchObject({ admitted: ['n1', 'n2'], refused: ['n3: circuit_open'] });
  });
});

describe('Admission.enter', () => {
  it.each<[string, (callers: Callers) => unknown]>([
    ['admitted', (callers) => callers.release('n1')],
    ['refused', ({ admission }) => admission.refuseWaiting(new VerificationFailure('circuit_open', 'later'))],
  ])('removes its listener from the signal when a queued caller is %s', async (_how, end) => {
    const callers = new Callers(newAdmission({ ...PLENTY, maxConcurrent: 1 }));
    const deadline = never();
    await callers.enter('n1', 'new');
    await callers.enter('n2', 'new', deadline);
    expect(getEventListeners(deadline.signal, 'abort')).toHaveLength(1);
    await end(callers);
    expect(getEventListeners(deadline.signal, 'abort')).toEqual([]);
  });
});

describe('Admission.enter short of time', () => {
  it('rejects a caller with too little time left to ask, as the fault of Kinde', async () => {
    const callers = new Callers(newAdmission(PLENTY));
    await callers.enter('n1', 'new', { ...never(), hasTimeToAsk: () => false });
    expect(callers).toMatchObject({ admitted: [], refused: ['n1: deadline'] });
    expect(callers.admission.active).toBe(0);
  });

  it('rejects a caller whose turn comes too late, as the fault of the queue, and admits the next', async () => {
    const callers = new Callers(newAdmission({ ...PLENTY, maxConcurrent: 1 }));
    let hasTime = true;
    await callers.enter('n1', 'new');
    await callers.enter('n2', 'new', { ...never(), hasTimeToAsk: () => hasTime });
    await callers.enter('n3', 'new');
    hasTime = false;
    await callers.release('n1');
    expect(callers).toMatchObject({ admitted: ['n1', 'n3'], refused: ['n2: busy'] });
    expect(callers.admission.active).toBe(1);
  });

  it('rejects every caller at once while Kinde must not be asked', async () => {
    const callers = new Callers(
      new Admission(PLENTY, () => new VerificationFailure('throttled', '429'), new TestClock()),
    );
    await callers.enter('p1', 'known');
    expect(callers.refused).toEqual(['p1: throttled']);
  });
});

describe('Admission.enter at the per-second limit', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  // A burst of one, then one every 500 ms.
  const SLOW: AdmissionLimits = { maxConcurrent: 4, maxPerSecond: 2, maxQueued: 10 };
  const settleFakes = () => jest.advanceTimersByTimeAsync(0);

  it('admits the next caller when a token is there, known keys first', async () => {
    const admission = newAdmission(SLOW);
    const inside: string[] = [];
    for (const [name, priority] of [
      ['n1', 'new'],
      ['n2', 'new'],
      ['p1', 'known'],
    ] as const) {
      void admission.enter(priority, never()).then(() => inside.push(name));
    }
    await settleFakes();
    expect(inside).toEqual(['n1']);
    await jest.advanceTimersByTimeAsync(501);
    expect(inside).toEqual(['n1', 'p1']);
    await jest.advanceTimersByTimeAsync(501);
    expect(inside).toEqual(['n1', 'p1', 'n2']);
  });

  it('does not give a new key the token that a known key waits for', async () => {
    let nowMs = 0;
    const admission = newAdmission(SLOW, () => nowMs);
    const inside: string[] = [];
    void admission.enter('new', never()).then(() => inside.push('n1'));
    void admission.enter('known', never()).then(() => inside.push('p1'));
    nowMs = 600;
    void admission.enter('new', never()).then(() => inside.push('n2'));
    await settleFakes();
    expect(inside).toEqual(['n1', 'p1']);
  });

  it('sets a timer only while the per-second limit alone holds back the next call', async () => {
    const admission = newAdmission({ ...SLOW, maxConcurrent: 1 });
    expect(jest.getTimerCount()).toBe(0);
    const release = await admission.enter('new', never());
    expect(jest.getTimerCount()).toBe(0);
    const next = admission.enter('new', never());
    expect(jest.getTimerCount()).toBe(0);
    release();
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(501);
    (await next)();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('clears the timer when the last queued caller gives up', async () => {
    const admission = newAdmission(SLOW);
    const deadline = new Deadline(100);
    await admission.enter('new', never());
    const refused = caught(admission.enter('new', deadline));
    await jest.advanceTimersByTimeAsync(100);
    expect(await refused).toMatchObject({ kind: 'busy' });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind for a caller that finds the queue full', async () => {
    const admission = newAdmission({ ...SLOW, maxQueued: 0 });
    await admission.enter('new', never());
    expect(await caught(admission.enter('new', never()))).toMatchObject({ kind: 'busy' });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('clears the timer when every queued caller is refused', async () => {
    const admission = newAdmission(SLOW);
    await admission.enter('new', never());
    const refused = caught(admission.enter('new', never()));
    admission.refuseWaiting(new VerificationFailure('circuit_open', 'later'));
    expect(await refused).toMatchObject({ kind: 'circuit_open' });
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('Admission.enter, under any order of events', () => {
  it('never exceeds its limits, and settles every caller', async () => {
    const limits = fc.record({
      maxConcurrent: fc.integer({ min: 1, max: 6 }),
      maxPerSecond: fc.constant(100_000),
      maxQueued: fc.nat(4),
    });
    const step = fc.record({
      op: fc.constantFrom('known' as const, 'new' as const, 'release' as const, 'cancel' as const),
      index: fc.nat(12),
    });
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { maxLength: 40 }), async (given, steps) => {
        const admission = newAdmission(given);
        const reserved = given.maxConcurrent === 1 ? 0 : Math.max(1, Math.floor(given.maxConcurrent / 4));
        const inside: { priority: Priority; release: Release }[] = [];
        const waiting: Deadline[] = [];
        let settled = 0;
        let asked = 0;
        for (const { op, index } of steps) {
          if (op === 'release') inside.splice(index % Math.max(1, inside.length), 1)[0]?.release();
          else if (op === 'cancel') waiting[index]?.cancel(new VerificationFailure('closed', 'over'));
          else {
            const deadline = new Deadline(60_000);
            waiting.push(deadline);
            asked += 1;
            admission
              .enter(op, deadline)
              .then(
                (release) => inside.push({ priority: op, release }),
                () => undefined,
              )
              .finally(() => (settled += 1));
          }
          await settle();
          expect(admission.active).toBe(inside.length);
          expect(inside.length).toBeLessThanOrEqual(given.maxConcurrent);
          expect(inside.filter(({ priority }) => priority === 'new').length).toBeLessThanOrEqual(
            given.maxConcurrent - reserved,
          );
          expect(admission.waiting).toBeLessThanOrEqual(2 * given.maxQueued);
        }
        while (inside.length > 0) {
          inside.pop()?.release();
          await settle();
        }
        for (const deadline of waiting) deadline.clear();
        expect({ waiting: admission.waiting, active: admission.active, settled }).toEqual({
          waiting: 0,
          active: 0,
          settled: asked,
        });
      }),
      { numRuns: 200 },
    );
  });
});
