import type { RateLimitRule } from './rate-limit-rule.js';
import type { RateDecision } from './rate-limit-store.js';

/** Returns the seconds for `Retry-After` (RFC 9110 §10.2.3). Rounded up to at least 1, so that a client that waits this long is accepted. */
export function retryAfterSeconds({ resetAfterMs }: RateDecision): number {
  return inSeconds(resetAfterMs);
}

/**
 * `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11 §4, a list of one structured string (RFC 9651 §3.3.3), e.g. `"default";r=42;t=17`:
 * `r` more requests would be accepted now, and no others within `t` seconds. After a refusal `t` equals `Retry-After`, as §6 demands.
 */
export function rateLimitField({ policy }: RateLimitRule, decision: RateDecision): string {
  return `"${policy}";r=${decision.remaining};t=${inSeconds(decision.resetAfterMs)}`;
}

/**
 * `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-11 §3, e.g. `"default";q=100;w=60`: `q` requests in any `w` seconds. The draft
 * has no fractions, so a window is rounded up to whole seconds: a client that keeps to it is not refused.
 */
export function rateLimitPolicyField({ policy, windowMs }: RateLimitRule, { limit }: RateDecision): string {
  return `"${policy}";q=${limit};w=${inSeconds(windowMs)}`;
}

function inSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}
