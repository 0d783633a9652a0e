import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import { rateLimitField, rateLimitPolicyField } from '../rate-limit/rate-limit-headers.js';
import type { Fields } from './api-document.js';
import type { OccurringRefusal } from './occurring-refusals.js';

const WAITING: ReadonlySet<string> = new Set([
  'RATE_LIMITED',
  'TOO_MANY_FAILED_ATTEMPTS',
  'VERIFICATION_UNAVAILABLE',
  'VERIFICATION_MISCONFIGURED',
]);
/** Refused after the guard has counted the request. */
const COUNTED: ReadonlySet<string> = new Set([
  'KEY_REQUIRED',
  'INSUFFICIENT_SCOPE',
  'ORG_REQUIRED',
  'USER_REQUIRED',
  'ORG_MISMATCH',
]);

/** Returns the headers that at least one of several refusals with the same status has. */
export function headersOf(refusals: readonly OccurringRefusal[], rateLimit: RateLimitRule | null): Fields {
  const challenge = refusals.map(({ headers }) => headers['WWW-Authenticate']).find((value) => value !== undefined);
  const names = refusals.map(({ name }) => name);
  const isLimited =
    names.includes('RATE_LIMITED') ||
    (rateLimit?.sendsHeadersOnSuccess === true &&
      refusals.some(({ name, body }) => COUNTED.has(name) && 'code' in body));
  return {
    ...(challenge !== undefined && {
      'WWW-Authenticate': header('Says what is wrong, RFC 6750', { type: 'string' }, challenge),
    }),
    ...(names.some((name) => WAITING.has(name)) && {
      'Retry-After': header('Seconds to wait before the next request', { type: 'integer' }, 30),
    }),
    ...(isLimited && rateLimit && rateLimitHeaders(rateLimit, !names.includes('RATE_LIMITED'))),
  };
}

/** @param isAccepted whether the request was within the limit */
export function rateLimitHeaders(rule: RateLimitRule, isAccepted: boolean): Fields {
  const limit = typeof rule.limit === 'number' ? rule.limit : 100;
  const decision = { accepted: isAccepted, limit, remaining: isAccepted ? limit - 1 : 0, resetAfterMs: 30_000 };
  const text = { type: 'string' };
  return {
    RateLimit: header(
      'What is left of the rate limit: `r` requests, `t` seconds',
      text,
      rateLimitField(rule, decision),
    ),
    'RateLimit-Policy': header(
      'The rate limit: `q` requests in any `w` seconds',
      text,
      rateLimitPolicyField(rule, decision),
    ),
  };
}

function header(description: string, schema: Fields, example: unknown): Fields {
  return { description, schema, example };
}
