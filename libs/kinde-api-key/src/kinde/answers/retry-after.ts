import type { KindeResponse } from '../http.js';

/** Longest wait, in seconds. Kinde's limit is per minute. Clients are told the wait that the library itself keeps. */
const MAX_SECONDS = 60;
/** A larger number is not a wait but an instant, in seconds or in milliseconds since the epoch: some servers send that. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e12;

/**
 * Reads how long Kinde asks us to wait: `RateLimit-Reset` in seconds (as Kinde's documentation says), and `Retry-After` in seconds or as an
 * HTTP date (RFC 9110, section 10.2.3). If there are several, the longest counts.
 *
 * @param nowMs the time to compare an instant with, in milliseconds since the epoch
 * @returns whole seconds from 1 to 60, or `undefined` if neither header can be read
 */
export function parseRetryAfterSeconds(headers: KindeResponse['headers'], nowMs: number): number | undefined {
  const texts = [headers['ratelimit-reset'], headers['retry-after']];
  const waits = texts.flatMap((text = '') => [...parseNumbers(text, nowMs), ...parseDate(text, nowMs)]);
  return waits.length === 0 ? undefined : Math.min(MAX_SECONDS, Math.max(1, Math.ceil(Math.max(...waits))));
}

/** Numbers are separated by commas if the header was sent twice. */
function parseNumbers(text: string, nowMs: number): number[] {
  const isList = /^\s*\d{1,15}(?:\.\d{1,9})?\s*(?:,\s*\d{1,15}(?:\.\d{1,9})?\s*){0,9}$/.test(text);
  return isList ? text.split(',').map((part) => secondsUntil(Number(part), nowMs)) : [];
}

function secondsUntil(value: number, nowMs: number): number {
  if (value >= EPOCH_MS) return (value - nowMs) / 1_000;
  return value >= EPOCH_SECONDS ? value - nowMs / 1_000 : value;
}

function parseDate(text: string, nowMs: number): number[] {
  // Date.parse also takes '-5' and '1.5.2026'; an HTTP date begins with the name of a day.
  if (!/^\s*[A-Z][a-z]{2}/.test(text)) return [];
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? [] : [(timeMs - nowMs) / 1_000];
}
