// The method: one process, one route per variant, blocks of requests, variants in random order in each round. What a block costs is CPU
// time, because time on the clock also counts what other processes of the machine do. Every figure is a difference to, or a ratio with,
// another variant of the same round, and a median over the rounds.
import { setImmediate } from 'node:timers/promises';
import { interval, median, shuffled } from './statistics.mjs';

/** How far the two copies of "no guard" may be apart, in microseconds per request. */
export const CONTROL_LIMIT_US = 0.5;
/** The two copies of one variant whose difference says how much of a difference means nothing. */
export const CONTROL = ['no guard', 'no guard, a second copy'];

/**
 * Measures every variant in every round.
 *
 * @param {readonly { name: string, block?: number, atOnce?: number, request: (index: number) => Promise<unknown> }[]} variants
 * @param {{ rounds: number, warmUp: number, block: number }} plan `block`: requests in a row, unless the variant has its own number
 */
export async function measureRounds(variants, { rounds, warmUp, block }) {
  const times = new Map(variants.map(({ name }) => [name, []]));
  const sent = new Map(variants.map(({ name }) => [name, 0]));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const variant of shuffled(variants)) {
      const size = variant.block ?? block;
      const first = sent.get(variant.name);
      sent.set(variant.name, first + size);
      variant.prepare?.();
      const us = await cpuOf(variant, first, size);
      if (round >= 0) times.get(variant.name).push(us / size);
      // Injected requests never give way to the event loop, on which what they leave behind would pile up.
      await setImmediate();
    }
  }
  return new Measured(times, rounds);
}

async function cpuOf({ request, atOnce = 1 }, first, size) {
  const before = process.cpuUsage();
  if (atOnce === 1) {
    for (let index = first; index < first + size; index += 1) await request(index);
  } else {
    for (let index = first; index < first + size; index += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, (_, offset) => request(index + offset)));
    }
  }
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** The rounds that were measured, and what is to be read from them. */
class Measured {
  #times;
  #rounds;

  constructor(times, rounds) {
    this.#times = times;
    this.#rounds = rounds;
  }

  has(name) {
    return this.#times.has(name);
  }

  /** @returns {number} CPU microseconds of a request */
  us(name) {
    return median(this.#times.get(name));
  }

  /** @returns {number} how much more a request costs than one without a guard, in microseconds */
  addedUs(name) {
    return median(this.#added(name, this.#all()));
  }

  /** @returns {{ value: number, low: number, high: number }} how many times as much a variant adds as another one adds */
  timesAdded(name, other) {
    const statistic = (rounds) => median(this.#added(name, rounds)) / median(this.#added(other, rounds));
    const [low, high] = interval(this.#rounds, statistic);
    return { value: statistic(this.#all()), low, high };
  }

  /** @returns {number} how many requests a core carries, in relation to another variant */
  throughput(name, other) {
    const times = this.#times.get(name);
    const others = this.#times.get(other);
    return median(this.#all().map((round) => others[round] / times[round]));
  }

  /** @returns {number} how far the two copies of one variant are apart, in microseconds: as much of every difference means nothing */
  controlUs() {
    const [first, second] = CONTROL.map((name) => this.#times.get(name));
    return Math.abs(median(this.#all().map((round) => first[round] - second[round])));
  }

  get isValid() {
    return this.controlUs() <= CONTROL_LIMIT_US;
  }

  #all() {
    return Array.from({ length: this.#rounds }, (_, round) => round);
  }

  #added(name, rounds) {
    const times = this.#times.get(name);
    const [first, second] = CONTROL.map((control) => this.#times.get(control));
    return rounds.map((round) => times[round] - (first[round] + second[round]) / 2);
  }
}
