import fc from 'fast-check';
import { Deadline } from './deadline.js';
import { Admission, type BudgetLimits, type Lane, type Leave } from './admission.js';
import { Outage } from '../outage.js';

/** The signal of a caller that never gives up. */
const never = () => new AbortController().signal;
const PLENTY: BudgetLimits = { maxConcurrent: 4, maxPerSecond: 100_000, maxQueued: 10 };

/** What a promise is rejected with; taken at once, so that it never counts as unhandled. */
const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** Lets promises that are settled already run their reactions. */
const settle = () => new Promise<void>((resolve) => process.nextTick(resolve));

/** Enters and remembers, by name, who got in. */
class Crowd {
  readonly inside: string[] = [];
  readonly refused: string[] = [];
  readonly leaves = new Map<string, Leave>();

  constructor(readonly budget: Admission) {}

  async enter(name: string, lane: Lane, signal = never()): Promise<void> {
    this.budget.enter(lane, signal).then(
      (leave) => {
        this.inside.push(name);
        this.leaves.set(name, leave);
      },
      (outage: Outage) => this.refused.push(`${name}: ${outage.kind}`),
    );
    await settle();
  }

  async leave(name: string): Promise<void> {
    this.leaves.get(name)?.();
    await settle();
  }
}

describe('Admission', () => {
  it('keeps a quarter of the places for proven keys', async () => {
    const crowd = new Crowd(new Admission(PLENTY));
    for (const name of ['n1', 'n2', 'n3', 'n4']) await crowd.enter(name, 'new');
    await crowd.enter('p1', 'proven');
    expect(crowd.inside).toEqual(['n1', 'n2', 'n3', 'p1']);
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 3],
    [7, 6],
    [8, 6],
    [64, 48],
  ])('of %d places leaves %d to new keys', async (maxConcurrent, places) => {
    const crowd = new Crowd(new Admission({ ...PLENTY, maxConcurrent, maxQueued: 100 }));
    for (let index = 0; index < 70; index += 1) await crowd.enter(`n${index}`, 'new');
    expect(crowd.inside).toHaveLength(places);
  });

  it('lets proven keys have every place', async () => {
    const crowd = new Crowd(new Admission(PLENTY));
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) await crowd.enter(name, 'proven');
    expect(crowd.inside).toEqual(['p1', 'p2', 'p3', 'p4']);
    expect(crowd.budget.active).toBe(4);
  });

  it('serves proven keys first, and each lane in the order of arrival', async () => {
    const crowd = new Crowd(new Admission({ ...PLENTY, maxConcurrent: 1 }));
    await crowd.enter('first', 'new');
    await crowd.enter('n1', 'new');
    await crowd.enter('n2', 'new');
    await crowd.enter('p1', 'proven');
    await crowd.enter('p2', 'proven');
    for (const name of ['first', 'p1', 'p2', 'n1']) await crowd.leave(name);
    expect(crowd.inside).toEqual(['first', 'p1', 'p2', 'n1', 'n2']);
  });

  it('has a full queue in one lane and room in the other', async () => {
    const crowd = new Crowd(new Admission({ ...PLENTY, maxConcurrent: 1, maxQueued: 1 }));
    await crowd.enter('n1', 'new');
    await crowd.enter('n2', 'new');
    await crowd.enter('n3', 'new');
    await crowd.enter('p1', 'proven');
    await crowd.enter('p2', 'proven');
    expect(crowd.refused).toEqual(['n3: busy', 'p2: busy']);
    expect(crowd.budget.waiting).toBe(2);
  });

  it('has no queue with maxQueued 0', async () => {
    const crowd = new Crowd(new Admission({ ...PLENTY, maxConcurrent: 2, maxQueued: 0 }));
    for (const name of ['n1', 'n2']) await crowd.enter(name, 'new');
    await crowd.leave('n1');
    await crowd.enter('n3', 'new');
    expect(crowd.inside).toEqual(['n1', 'n3']);
    expect(crowd.refused).toEqual(['n2: busy']);
  });

  it('lets somebody who is cancelled leave the queue, with the reason', async () => {
    const crowd = new Crowd(new Admission({ ...PLENTY, maxConcurrent: 1 }));
    const deadline = new Deadline(60_000);
    await crowd.enter('n1', 'new');
    await crowd.enter('n2', 'new', deadline.signal);
    await crowd.enter('n3', 'new');
    deadline.cancel(new Outage('closed', 'over'));
    await settle();
    expect(crowd.refused).toEqual(['n2: closed']);
    await crowd.leave('n1');
    expect(crowd.inside).toEqual(['n1', 'n3']);
  });

  it('lets nobody in whose time is over already', async () => {
    const crowd = new Crowd(new Admission(PLENTY));
    const deadline = new Deadline(60_000);
    deadline.cancel(new Outage('closed', 'over'));
    await crowd.enter('n1', 'new', deadline.signal);
    expect(crowd).toMatchObject({ inside: [], refused: ['n1: closed'] });
  });

  it('sends everybody away who waits, and nobody who is inside', async () => {
    const crowd = new Crowd(new Admission({ ...PLENTY, maxConcurrent: 1 }));
    for (const name of ['n1', 'n2']) await crowd.enter(name, 'new');
    await crowd.enter('p1', 'proven');
    crowd.budget.refuseWaiting(new Outage('breaker_open', 'later'));
    await settle();
    expect(crowd.refused.toSorted()).toEqual(['n2: breaker_open', 'p1: breaker_open']);
    expect(crowd.budget).toMatchObject({ waiting: 0, active: 1 });
  });

  it('ignores the deadline of somebody who is inside or was sent away', async () => {
    const crowd = new Crowd(new Admission({ ...PLENTY, maxConcurrent: 1 }));
    const deadlines = [new Deadline(60_000), new Deadline(60_000), new Deadline(60_000)] as const;
    await crowd.enter('n1', 'new');
    await crowd.enter('n2', 'new', deadlines[0].signal);
    await crowd.leave('n1');
    await crowd.enter('n3', 'new', deadlines[1].signal);
    crowd.budget.refuseWaiting(new Outage('breaker_open', 'later'));
    for (const deadline of deadlines) deadline.cancel(new Outage('closed', 'over'));
    await settle();
    expect(crowd).toMatchObject({ inside: ['n1', 'n2'], refused: ['n3: breaker_open'] });
  });
});

describe('Admission, with its second used up', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  // A burst of one, then one every 500 ms.
  const SLOW: BudgetLimits = { maxConcurrent: 4, maxPerSecond: 2, maxQueued: 10 };
  const settleFakes = () => jest.advanceTimersByTimeAsync(0);

  it('lets the next in when the time has come, proven keys first', async () => {
    const budget = new Admission(SLOW);
    const inside: string[] = [];
    for (const [name, lane] of [
      ['n1', 'new'],
      ['n2', 'new'],
      ['p1', 'proven'],
    ] as const) {
      void budget.enter(lane, never()).then(() => inside.push(name));
    }
    await settleFakes();
    expect(inside).toEqual(['n1']);
    await jest.advanceTimersByTimeAsync(501);
    expect(inside).toEqual(['n1', 'p1']);
    await jest.advanceTimersByTimeAsync(501);
    expect(inside).toEqual(['n1', 'p1', 'n2']);
  });

  it('does not let a new key take what a proven key waits for', async () => {
    let nowMs = 0;
    const budget = new Admission(SLOW, () => nowMs);
    const inside: string[] = [];
    void budget.enter('new', never()).then(() => inside.push('n1'));
    void budget.enter('proven', never()).then(() => inside.push('p1'));
    nowMs = 600;
    void budget.enter('new', never()).then(() => inside.push('n2'));
    await settleFakes();
    expect(inside).toEqual(['n1']);
    await jest.advanceTimersByTimeAsync(500);
    expect(inside).toEqual(['n1', 'p1']);
  });

  it('has a timer exactly while somebody waits for time and not for a place', async () => {
    const budget = new Admission({ ...SLOW, maxConcurrent: 1 });
    expect(jest.getTimerCount()).toBe(0);
    const leave = await budget.enter('new', never());
    expect(jest.getTimerCount()).toBe(0);
    const next = budget.enter('new', never());
    expect(jest.getTimerCount()).toBe(0);
    leave();
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(501);
    (await next)();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('has no timer left when the last one who waited has given up', async () => {
    const budget = new Admission(SLOW);
    const deadline = new Deadline(100);
    await budget.enter('new', never());
    const refused = caught(budget.enter('new', deadline.signal));
    await jest.advanceTimersByTimeAsync(100);
    expect(await refused).toMatchObject({ kind: 'busy' });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('has no timer left when everybody was sent away', async () => {
    const budget = new Admission(SLOW);
    await budget.enter('new', never());
    const refused = caught(budget.enter('new', never()));
    budget.refuseWaiting(new Outage('breaker_open', 'later'));
    expect(await refused).toMatchObject({ kind: 'breaker_open' });
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('Admission, under any order of events', () => {
  it('never has more inside or waiting than it may, and never forgets anybody', async () => {
    const limits = fc.record({
      maxConcurrent: fc.integer({ min: 1, max: 6 }),
      maxPerSecond: fc.constant(100_000),
      maxQueued: fc.nat(4),
    });
    const step = fc.record({
      op: fc.constantFrom('proven' as const, 'new' as const, 'leave' as const, 'cancel' as const),
      index: fc.nat(12),
    });
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { maxLength: 40 }), async (given, steps) => {
        const budget = new Admission(given);
        const reserved = given.maxConcurrent === 1 ? 0 : Math.max(1, Math.floor(given.maxConcurrent / 4));
        const inside: { lane: Lane; leave: Leave }[] = [];
        const waiting: Deadline[] = [];
        let settled = 0;
        let asked = 0;
        for (const { op, index } of steps) {
          if (op === 'leave') inside.splice(index % Math.max(1, inside.length), 1)[0]?.leave();
          else if (op === 'cancel') waiting[index]?.cancel(new Outage('closed', 'over'));
          else {
            const deadline = new Deadline(60_000);
            waiting.push(deadline);
            asked += 1;
            budget
              .enter(op, deadline.signal)
              .then(
                (leave) => inside.push({ lane: op, leave }),
                () => undefined,
              )
              .finally(() => (settled += 1));
          }
          await settle();
          expect(budget.active).toBe(inside.length);
          expect(inside.length).toBeLessThanOrEqual(given.maxConcurrent);
          expect(inside.filter(({ lane }) => lane === 'new').length).toBeLessThanOrEqual(
            given.maxConcurrent - reserved,
          );
          expect(budget.waiting).toBeLessThanOrEqual(2 * given.maxQueued);
        }
        while (inside.length > 0) {
          inside.pop()?.leave();
          await settle();
        }
        for (const deadline of waiting) deadline.clear();
        expect({ waiting: budget.waiting, active: budget.active, settled }).toEqual({
          waiting: 0,
          active: 0,
          settled: asked,
        });
      }),
      { numRuns: 200 },
    );
  });
});
