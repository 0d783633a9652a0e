import { Outage } from '../outage.js';
import type { BudgetLimits, Lane } from './admission.js';

/**
 * Bounds the verifications that are under way, those that wait for the M2M token included: while no token can be had, nobody has come as far
 * as the outbound budget, and a flood would pile up before it. The lanes are counted apart, so that a flood does not shut out proven keys.
 */
export class WaitingRoom {
  readonly #places: number;
  readonly #taken: Record<Lane, number> = { proven: 0, new: 0 };

  /** @param limits in each lane there is room for `maxConcurrent` verifications that are under way and `maxQueued` that wait */
  constructor({ maxConcurrent, maxQueued }: Pick<BudgetLimits, 'maxConcurrent' | 'maxQueued'>) {
    this.#places = maxConcurrent + maxQueued;
  }

  /**
   * @param verify starts a verification; not called where there is no room
   * @throws {Outage} `busy` at once where there is no room, else whatever `verify` throws
   */
  async run<T>(lane: Lane, verify: () => Promise<T>): Promise<T> {
    if (this.#taken[lane] >= this.#places) {
      throw new Outage('busy', 'too many verifications are under way already (kinde.maxConcurrent, kinde.maxQueued)');
    }
    this.#taken[lane] += 1;
    try {
      return await verify();
    } finally {
      this.#taken[lane] -= 1;
    }
  }
}
