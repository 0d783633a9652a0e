import type { KindeResponse } from '../http.js';

/** Longest wait that is passed on to clients. */
const MAX_SECONDS = 3_600;

/**
 * Reads how long a 429 asks us to wait: `RateLimit-Reset` in seconds (as Kinde's documentation says), else `Retry-After` in seconds or as an
 * HTTP date (RFC 9110, section 10.2.3).
 *
 * @param nowMs the time to compare an HTTP date with, in milliseconds since the epoch
 * @returns whole seconds from 1 to 3,600, or `undefined` if neither header can be read
 */
export function parseRetryAfterSeconds(headers: KindeResponse['headers'], nowMs: number): number | undefined {
  const seconds =
    parseSeconds(headers['ratelimit-reset']) ??
    parseSeconds(headers['retry-after']) ??
    parseDate(headers['retry-after'], nowMs);
  return seconds === undefined ? undefined : Math.min(MAX_SECONDS, Math.max(1, Math.ceil(seconds)));
}

function parseSeconds(value = ''): number | undefined {
  return /^\s*\d{1,15}(?:\.\d{1,9})?\s*$/.test(value) ? Number(value) : undefined;
}

function parseDate(value = '', nowMs: number): number | undefined {
  // Date.parse also takes '-5' and '1.5.2026'; an HTTP date begins with the name of a day.
  if (!/^\s*[A-Z][a-z]{2}/.test(value)) return undefined;
  const timeMs = Date.parse(value);
  return Number.isNaN(timeMs) ? undefined : (timeMs - nowMs) / 1_000;
}
