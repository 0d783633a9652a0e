import { NONE } from '../slot-index.js';
import { KeySlots } from './key-slots.js';
import type { RateDecision } from './rate-limit-store.js';
import { SlidingWindows, type RateLimitUsage } from './sliding-windows.js';

/** Buckets: whose they are, and what was counted. */
interface Generation {
  readonly keys: KeySlots;
  readonly windows: SlidingWindows;
}

/**
 * The buckets of one place, in two generations: those that were used since the last turn, and those of the generation before that were not used
 * since. A turn forgets the latter.
 *
 * It turns after a window and not before, so nothing that is forgotten counts any more, and it needs neither a timer nor a list of who was
 * used when: a request touches its bucket and little else.
 */
export class RateLimitPlace {
  readonly #windowMs: number;
  readonly #usage: RateLimitUsage;
  #recent: Generation;
  #earlier: Generation | undefined;
  #turnsAtMs: number;

  /** @param usage of all places, which this one keeps up to date */
  constructor(windowMs: number, nowMs: number, usage: RateLimitUsage) {
    this.#windowMs = windowMs;
    this.#usage = usage;
    this.#recent = this.#next();
    this.#turnsAtMs = nowMs + windowMs;
  }

  /** How many buckets it holds, used of late or not. */
  get size(): number {
    return new Set([...this.#recent.keys.keyIds, ...(this.#earlier?.keys.keyIds ?? [])]).size;
  }

  /** Decides about one request of a key and counts it if it is accepted. @param hint see {@link KeySlots.find} */
  take(keyId: string, nowMs: number, limit: number, hint: number): RateDecision {
    const { keys, windows } = this.#recent;
    let slot = keys.find(keyId, hint);
    if (slot === NONE) slot = this.#bringBack(keyId, hint);
    return windows.take(slot, nowMs, limit, this.#windowMs);
  }

  isDue(nowMs: number): boolean {
    return nowMs >= this.#turnsAtMs;
  }

  /** Forgets the earlier generation, and with it the recent one if nothing in that counts any more. */
  turn(nowMs: number): void {
    const isOver = nowMs >= this.#turnsAtMs + this.#windowMs;
    this.#turnsAtMs = nowMs + this.#windowMs;
    this.#earlier = undefined;
    if (this.#recent.keys.size === 0) return;
    this.#recent.windows.leaveOut();
    if (!isOver) this.#earlier = this.#recent;
    this.#recent = this.#next();
  }

  #next(): Generation {
    return { keys: new KeySlots(), windows: new SlidingWindows(this.#usage) };
  }

  /** Gives a key that was not used since the last turn the bucket that it had before, or an empty one. */
  #bringBack(keyId: string, hint: number): number {
    const { keys, windows } = this.#recent;
    const earlierSlot = this.#earlier?.keys.find(keyId, hint) ?? NONE;
    windows.add(
      this.#earlier && earlierSlot !== NONE ? { windows: this.#earlier.windows, slot: earlierSlot } : undefined,
    );
    return keys.add(keyId);
  }
}
