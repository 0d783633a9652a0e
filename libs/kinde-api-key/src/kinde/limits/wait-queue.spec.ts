import fc from 'fast-check';
import { WaitQueue, type Waiter } from './wait-queue.js';

const newWaiter = (): Waiter => ({ proceed: () => {}, refuse: () => {} });

describe('WaitQueue', () => {
  it('behaves like a list from which anybody may leave', () => {
    const step = fc.oneof(
      fc.constant({ op: 'push' as const, index: 0 }),
      fc.constant({ op: 'shift' as const, index: 0 }),
      fc.record({ op: fc.constant('remove' as const), index: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new WaitQueue();
        const seen: Waiter[] = [];
        const model: Waiter[] = [];
        for (const { op, index } of steps) {
          const shifted = op === 'shift' ? [queue.shift(), model.shift()] : [];
          expect(shifted[0]).toBe(shifted[1]);
          if (op === 'push') {
            const waiter = newWaiter();
            seen.push(waiter);
            model.push(waiter);
            queue.push(waiter);
          }
          const leaver = op === 'remove' ? seen[index] : undefined;
          if (leaver) {
            queue.remove(leaver);
            if (model.includes(leaver)) model.splice(model.indexOf(leaver), 1);
          }
          expect(queue.size).toBe(model.length);
        }
        for (const waiter of model) expect(queue.shift()).toBe(waiter);
        expect(queue.shift()).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});
