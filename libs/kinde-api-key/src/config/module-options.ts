import type { ApiKeyDecision } from '../api-key/decision.js';
import type { SharedStore } from '../shared/shared-store.js';
import { cacheSection } from './cache-options.js';
import { connectionSection } from './connection-options.js';
import { credentialList } from './credential-options.js';
import { flag, list, option, optionalFunction, optionalText, text, textOrEnv } from './option-kinds.js';
import { isRecord, type OptionalIn, type RequiredIn } from './option-table.js';
import { failedAttemptsSection, rateLimitSection } from './rate-limit-options.js';

/** A guard class, abstract or not. */
// oxlint-disable-next-line typescript/no-explicit-any -- the constructor of an app's guard may take anything
export type GuardClass = abstract new (...args: any[]) => { canActivate(...args: any[]): unknown };

/** The text of a quoted string without escapes (RFC 9110 §5.6.4), in ASCII. */
const REALM = /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/;

const isText = (item: unknown): boolean => typeof item === 'string' && item !== '';

const sharedStore = option<SharedStore, SharedStore | null>({
  takes: "a shared store: redisStore({ client }) from 'nestjs-kinde-api-key/redis'",
  accepts: (given) => isRecord(given) && typeof given.open === 'function' && typeof given.name === 'string',
  absent: null,
});

const realm = option<string>({
  takes: 'printable ASCII without quotes and backslashes, because it is sent in a header',
  accepts: (given) => typeof given === 'string' && REALM.test(given) && given.trim() !== '',
  use: (given) => given.trim(),
  default: 'api',
  absent: 'api',
});

/** The options of `KindeApiKeyModule.forRoot()`. */
export const MODULE_OPTIONS = {
  /**
   * Kinde domain: `acme`, `acme.kinde.com` or `https://acme.kinde.com`. A custom domain is rejected, because the token endpoint stays on
   * `*.kinde.com`. Plain http is accepted for loopback only. Default: the environment variable `KINDE_DOMAIN`.
   */
  domain: textOrEnv('KINDE_DOMAIN'),
  /** Client id of the M2M application. Default: the environment variable `KINDE_MANAGEMENT_CLIENT_ID`. */
  clientId: textOrEnv('KINDE_MANAGEMENT_CLIENT_ID'),
  /** Client secret of the M2M application. Default: the environment variable `KINDE_MANAGEMENT_CLIENT_SECRET`. */
  clientSecret: textOrEnv('KINDE_MANAGEMENT_CLIENT_SECRET'),
  /** Audience of the M2M token. Default: `<origin of domain>/api`, the Kinde Management API. */
  audience: optionalText(),
  /**
   * Id of a registered API (Kinde > Settings > APIs): keys of other APIs are refused. Costs one more call for a key that is not cached. Risk
   * when not set: in a Kinde environment with several APIs, a key for one is valid for all. Default: the environment variable `KINDE_API_ID`,
   * else not set.
   */
  apiId: optionalText('KINDE_API_ID'),
  /**
   * Headers that may carry the key. The query string is not supported, because it ends up in logs.
   * Default `[{ header: 'authorization', scheme: 'Bearer' }]`.
   */
  credentials: credentialList,
  /** Prefixes of acceptable keys. A key with another prefix is refused without calling Kinde. Default: not set, any prefix. */
  keyPrefixes: list<string>(
    'a list of at least one text that is not empty',
    (given) => given.length > 0 && given.every(isText),
  ),
  /**
   * Caching of Kinde's answers. `false` asks Kinde on every request; simultaneous requests with one key still share a call.
   * Default: on, see {@link KindeApiKeyCacheOptions}.
   */
  cache: cacheSection,
  /**
   * Limit on refused keys per client network (an IPv4 address, an IPv6 /64). Beyond it, unknown keys get 429 `TOO_MANY_FAILED_ATTEMPTS`;
   * previously accepted keys are unaffected. Kinde's own example is `{ limit: 100, windowMs: 900_000 }`. Risk behind a proxy: unless Express's
   * `trust proxy` or Fastify's `trustProxy` is set, all clients count as one network. Default: not set, no limit.
   */
  failedAttempts: failedAttemptsSection,
  /**
   * Limit on requests per key, in a sliding window over all routes without `@RateLimit()` or `@SkipRateLimit()`. Beyond it, requests get 429
   * `RATE_LIMITED`. Requests that are refused with 403 count, too, and a rotated key keeps its window. Each process counts separately unless
   * `shared` is set. Default: not set, no limit.
   */
  rateLimit: rateLimitSection,
  /** How Kinde is called. Default: see {@link KindeConnectionOptions}. */
  kinde: connectionSection,
  /**
   * Store that the instances of the app share: `redisStore({ client })` from `nestjs-kinde-api-key/redis`. They then share verdicts,
   * invalidations, one M2M token and rate limits. Default: not set, each process has its own.
   */
  shared: sharedStore,
  /** Name of the route parameter that a bare `@OrgScoped()` compares. Default `'orgCode'`. */
  orgParam: text('orgCode'),
  /**
   * Answers `ORG_MISMATCH` and `ORG_REQUIRED` with 404 `NOT_FOUND`, like a missing route. Risk of `false`: a caller learns that a resource of
   * another organization exists. Default `false`.
   */
  hideExistence: flag(false),
  /** Realm of the challenge in `WWW-Authenticate`. Default `'api'`. */
  realm,
  /** The app's own guard classes that call `ApiKeyGuard`. The boot check counts their routes as guarded. Default: not set. */
  guardedBy: list<GuardClass>('a list of classes', (given) => given.every((item) => typeof item === 'function')),
  /**
   * Called once for every decision, without a raw key. Its result is not awaited; an error is logged and ignored. Default: not set.
   */
  onDecision: optionalFunction<(decision: ApiKeyDecision) => unknown>(),
};

/** The options of `KindeApiKeyModule.forRoot()`. An absent option comes from the environment or has a default. */
export interface KindeApiKeyOptions extends OptionalIn<typeof MODULE_OPTIONS>, RequiredIn<typeof MODULE_OPTIONS> {}
