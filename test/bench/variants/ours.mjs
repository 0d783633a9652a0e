// The library, as it is published.
import { kindeAccessTokens } from 'nestjs-kinde-api-key/tokens';
import { ApiKeyGuard, KindeApiKeyModule, OrgScoped, RateLimit, RequireScopes } from 'nestjs-kinde-api-key';
import { SCOPES } from '../upstream.mjs';

export const OURS_WITH_PRINCIPALS = 'ours, two scopes, with principals';
export const OURS_IN_REDIS = 'ours, a key that is cached in Redis';

const AN_HOUR_MS = 3_600_000;
/** Calls are not limited, so that the caches fill quickly; in the measured blocks there are none, but for misses. */
const KINDE = { maxConcurrent: 256, maxPerSecond: 100_000, maxQueued: 100_000 };
/** A usual window for many keys. One busy key would exceed that limit, so its window is short. */
const LIMIT = { limit: 10_000, windowMs: 60_000 };
const BUSY_LIMIT = { limit: 10_000, windowMs: 2_000 };

/** The registration of all variants. Nothing expires during the measurement. */
export function ourModule({ domain, credentials }) {
  return KindeApiKeyModule.forRoot({
    domain,
    ...credentials,
    kinde: KINDE,
    cache: { ttlMs: AN_HOUR_MS, negativeTtlMs: 600_000 },
  });
}

/** @param {unknown} guard the guard to measure, {@link ApiKeyGuard} unless it is to be slowed on purpose */
export function ourVariants(keyOf, guard = ApiKeyGuard) {
  const scopes = RequireScopes(...SCOPES);
  const ours = (name, decorators, keys = keyOf) => ({ name, guards: [guard], decorators, keyOf: keys });
  return [
    ours('ours, two scopes', [scopes]),
    ours('ours, two scopes and @OrgScoped', [scopes, OrgScoped()]),
    ours('ours, two scopes and @RateLimit', [scopes, RateLimit(LIMIT)]),
    ours('ours, two scopes and @RateLimit, one busy key', [scopes, RateLimit(BUSY_LIMIT)], () => keyOf(0)),
  ];
}

/**
 * Caches one key at a time, so that every request asks Kinde, or the store that holds another instance's answer.
 *
 * @param {object} [shared] the store
 */
export function ourMiss({ domain, credentials }, keyOf, shared) {
  const cache = { maxKeys: 1, ttlMs: AN_HOUR_MS };
  const options = { domain, ...credentials, kinde: KINDE, cache, isGlobal: false, ...(shared && { shared }) };
  return {
    name: shared ? OURS_IN_REDIS : 'ours, a key that is not cached',
    guards: [ApiKeyGuard],
    decorators: [RequireScopes(...SCOPES)],
    imports: [KindeApiKeyModule.forRoot(options)],
    keyOf,
  };
}

/** A second registration, which also accepts Kinde access tokens. */
export function oursWithPrincipals({ domain, credentials }, keyOf, guard = ApiKeyGuard) {
  const options = { domain, ...credentials, kinde: KINDE, cache: { ttlMs: AN_HOUR_MS }, isGlobal: false };
  return {
    name: OURS_WITH_PRINCIPALS,
    guards: [guard],
    decorators: [RequireScopes(...SCOPES)],
    imports: [
      KindeApiKeyModule.forRoot({ ...options, principals: [kindeAccessTokens({ audience: 'https://api.example' })] }),
    ],
    keyOf,
  };
}

/** Refuses every request but the first. */
export function ourLimitedVariant(guard = ApiKeyGuard) {
  return { guards: [guard], decorators: [RequireScopes(...SCOPES), RateLimit({ limit: 1, windowMs: 86_400_000 })] };
}

/** The guard with a pause in it, to see the gate fail. */
export function slowedGuard(microseconds) {
  return class SlowedGuard extends ApiKeyGuard {
    canActivate(context) {
      const endMs = performance.now() + microseconds / 1_000;
      while (performance.now() < endMs);
      return super.canActivate(context);
    }
  };
}
