// Tables in Markdown, and the bars that the figures have to meet.
import { CONTROL, CONTROL_LIMIT_US } from './rounds.mjs';

/** @returns {string} a table in Markdown */
export function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function round(value, digits = 2) {
  return value.toFixed(digits);
}

/** A ratio with the interval in which it lies in 95 of 100 runs. */
export function ratio({ value, low, high }) {
  return `${round(value)} [${round(low)}-${round(high)}]`;
}

export function controlLine(measured) {
  const verdict = measured.isValid ? 'valid' : 'NOT VALID, the machine is too busy: run it again';
  const limit = `they may be ${CONTROL_LIMIT_US} µs apart`;
  return `Control: the two copies of "no guard" are ${round(measured.controlUs())} µs apart (${limit}): ${verdict}. A request without a guard takes ${round(measured.us(CONTROL[0]), 1)} µs.`;
}
