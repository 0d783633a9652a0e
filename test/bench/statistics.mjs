// What is made of a list of measurements: medians, and how far they can be trusted.

/** @returns {number} the median, which a round that was disturbed does not move */
export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const RESAMPLES = 200;

/**
 * The interval in which a statistic of the rounds lies in 95 of 100 runs like this one, by the bootstrap: the rounds are drawn again with
 * replacement, many times.
 *
 * @param {number} rounds how many there are
 * @param {(rounds: number[]) => number} statistic computed from the numbers of the rounds that were drawn
 * @returns {[number, number]}
 */
export function interval(rounds, statistic) {
  const drawn = Array.from({ length: RESAMPLES }, () =>
    statistic(Array.from({ length: rounds }, () => Math.floor(Math.random() * rounds))),
  ).sort((a, b) => a - b);
  return [drawn[Math.floor(RESAMPLES * 0.025)], drawn[Math.ceil(RESAMPLES * 0.975) - 1]];
}

/** @returns {T[]} the same in random order @template T @param {readonly T[]} items */
export function shuffled(items) {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}
