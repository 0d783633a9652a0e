import type { Clock } from '../../clock.js';

/** Calls are counted for this time, in milliseconds: Kinde's limit is per minute. */
const COUNTED_MS = 60_000;
/** Slowest pace, in calls per second, e.g. when other services have used up the limit before our first call. */
const SLOWEST_PER_SECOND = 0.5;
/** The pace rises by at least this much per second, so that it recovers from the slowest, too. */
const LEAST_RISE_PER_SECOND = 0.02;
/** Calls that may be sent at once after a quiet time, if the pace is slower. A flood never leaves that many. */
const BURST = 10;
/** Seconds in which the pace rises from half of what Kinde took back to all of it. */
const RISE_SECONDS = 60;

/**
 * Paces calls about new keys once Kinde has answered 429, so that a flood of them leaves a part of Kinde's limit to previously accepted
 * keys. A 429 sets it to half of the calls that Kinde took per second until then. It rises steadily until the next.
 */
export class NewKeyPace {
  /** Unlimited until the first 429. */
  #perSecond = Number.POSITIVE_INFINITY;
  #risePerSecond = 0;
  #tokens = 1;
  #filledAtMs: number;
  #calls = 0;
  #countedFromMs: number;

  constructor(private readonly clock: Clock) {
    this.#filledAtMs = clock.now();
    this.#countedFromMs = this.#filledAtMs;
  }

  /** Milliseconds until a call about a new key may be sent, rounded up; 0 if it may be sent now. */
  waitMs(): number {
    this.#fill();
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1_000);
  }

  /** Notes that a call was sent. Those about previously accepted keys are counted, but do not wait. */
  sent(isNew: boolean): void {
    this.#fill();
    const nowMs = this.clock.now();
    if (nowMs - this.#countedFromMs >= COUNTED_MS || nowMs < this.#countedFromMs) this.#countFrom(nowMs);
    this.#calls += 1;
    if (isNew) this.#tokens -= 1;
  }

  /** Kinde answered 429 and is not called for `pauseMs`. Further 429s within that time are answers to calls from before. */
  slowDown(pauseMs: number): void {
    this.#fill();
    const nowMs = this.clock.now();
    if (nowMs < this.#filledAtMs) return;
    const seconds = Math.max(1, (nowMs - this.#countedFromMs + pauseMs) / 1_000);
    const taken = Math.min(this.#perSecond, this.#calls / seconds);
    this.#perSecond = Math.max(SLOWEST_PER_SECOND, taken / 2);
    this.#risePerSecond = Math.max(LEAST_RISE_PER_SECOND, this.#perSecond / RISE_SECONDS);
    this.#tokens = 1;
    this.#filledAtMs = nowMs + pauseMs;
    this.#countFrom(this.#filledAtMs);
  }

  #countFrom(nowMs: number): void {
    this.#calls = 0;
    this.#countedFromMs = nowMs;
  }

  #fill(): void {
    const nowMs = this.clock.now();
    // Before the end of a pause nothing is filled. A clock that was set back by more than a pause starts it anew.
    if (nowMs < this.#filledAtMs - COUNTED_MS) this.#filledAtMs = nowMs;
    const seconds = Math.max(0, nowMs - this.#filledAtMs) / 1_000;
    if (seconds === 0) return;
    const most = Math.max(BURST, this.#perSecond);
    this.#tokens = Math.min(most, this.#tokens + seconds * (this.#perSecond + (seconds * this.#risePerSecond) / 2));
    this.#perSecond += seconds * this.#risePerSecond;
    this.#filledAtMs = nowMs;
  }
}
