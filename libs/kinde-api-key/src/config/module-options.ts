import type { ApiKeyDecision } from '../api-key/decision.js';
import type { SharedStore } from '../shared/shared-store.js';
import { CONNECTION_OPTIONS, type KindeConnectionOptions } from './connection-options.js';
import { credentialList } from './credential-options.js';
import {
  EXACT_TEXT,
  flag,
  integer,
  isRecord,
  offBy,
  option,
  section,
  TEXT,
  type OptionalIn,
  type OptionKind,
} from './option-kinds.js';
import { rpcCredentialOption } from './rpc-options.js';
import { isPrincipalSource, type PrincipalSourceOption } from './principal-options.js';
import {
  FAILED_ATTEMPTS_OPTIONS,
  RATE_LIMIT_OPTIONS,
  type KindeApiKeyFailedAttemptsOptions,
  type KindeApiKeyRateLimitOptions,
} from './rate-limit-options.js';

/** A guard class, abstract or not. */
// oxlint-disable-next-line typescript/no-explicit-any -- the constructor of an app's guard may take anything
export type GuardClass = abstract new (...args: any[]) => { canActivate(...args: any[]): unknown };

/** The text of a quoted string without escapes (RFC 9110 §5.6.4), in ASCII. */
const REALM = /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/;

const isFunction = (given: unknown): boolean => typeof given === 'function';
const isText = (given: unknown): boolean => typeof given === 'string' && given !== '';

function list<Item>(takes: string, accepts: (given: readonly unknown[]) => boolean): OptionKind<readonly Item[]> {
  const isList = (given: unknown): boolean => Array.isArray(given) && accepts(given);
  return option<readonly Item[]>({ takes, accepts: isList, use: (given) => [...given], absent: [] });
}

function textOrEnv(env: string, text = TEXT) {
  return option({ ...text, env, absent: '', missing: `pass it to forRoot() or set ${env} in the environment` });
}

/** The options of `cache`. */
export const CACHE_OPTIONS = {
  /**
   * Time during which an accepted key is served without asking Kinde again. A key in use is verified again in the background before that,
   * so requests do not wait. Risk: a revoked key is accepted for up to this time. In milliseconds, 1,000 to 3,600,000. Default 60,000.
   */
  ttlMs: integer({ min: 1_000, max: 3_600_000, default: 60_000, unit: 'ms' }),
  /**
   * Additional time during which an accepted key is served while Kinde is unreachable; 0 turns this off. Risk: a key that is revoked during an
   * outage is accepted until `ttlMs + staleIfErrorMs` have passed. In milliseconds, 0 to 86,400,000. Default 240,000.
   */
  staleIfErrorMs: integer({ min: 0, max: 86_400_000, default: 240_000, unit: 'ms' }),
  /**
   * Time during which a refused key is refused without asking Kinde again; 0 asks every time. In milliseconds, 0 to 600,000. Default 10,000.
   */
  negativeTtlMs: integer({ min: 0, max: 600_000, default: 10_000, unit: 'ms' }),
  /** Maximum number of accepted keys in memory. When full, the least recently used key is evicted. 1 to 10,000,000. Default 50,000. */
  maxKeys: integer({ min: 1, max: 10_000_000, default: 50_000 }),
  /**
   * Maximum number of refused keys in memory. They are cached separately, so that bad keys cannot evict good ones. 1 to 10,000,000.
   * Default 5,000.
   */
  maxRefusals: integer({ min: 1, max: 10_000_000, default: 5_000 }),
};

/** How long answers are cached, and how many. The age of an answer counts from when the verify call was sent to Kinde. */
export interface KindeApiKeyCacheOptions extends OptionalIn<typeof CACHE_OPTIONS> {}

/** The options of `KindeApiKeyModule.forRoot()`. */
export const MODULE_OPTIONS = {
  /**
   * Kinde domain: `acme`, `acme.kinde.com` or `https://acme.kinde.com`. A custom domain is rejected, because the token endpoint stays on
   * `*.kinde.com`. Plain http is accepted for loopback only. Default: the environment variable `KINDE_DOMAIN`.
   */
  domain: textOrEnv('KINDE_DOMAIN'),
  /** Client id of the M2M application. Default: the environment variable `KINDE_MANAGEMENT_CLIENT_ID`. */
  clientId: textOrEnv('KINDE_MANAGEMENT_CLIENT_ID', EXACT_TEXT),
  /** Client secret of the M2M application. Default: the environment variable `KINDE_MANAGEMENT_CLIENT_SECRET`. */
  clientSecret: textOrEnv('KINDE_MANAGEMENT_CLIENT_SECRET', EXACT_TEXT),
  /** Audience of the M2M token. Default: `<origin of domain>/api`, the Kinde Management API. */
  audience: option<string, null>({ ...TEXT, absent: null }),
  /**
   * Id of a registered API (Kinde > Settings > APIs): keys of other APIs are refused. Costs one more call per uncached key. Risk
   * when not set: in a Kinde environment with several APIs, a key for one is valid for all. Default: the environment variable `KINDE_API_ID`,
   * else not set.
   */
  apiId: option<string, null>({ ...TEXT, env: 'KINDE_API_ID', absent: null }),
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
   * Sources of callers who have no API key: injectable classes that implement `PrincipalSource`, and `kindeAccessTokens()` from
   * `nestjs-kinde-api-key/tokens`. Asked in this order, for requests without an API key. Risk: a caller that a source names is accepted,
   * within the rules of the route. Default: not set, API keys only.
   */
  principals: list<PrincipalSourceOption>(
    'a list of classes with a method authenticate(), or kindeAccessTokens()',
    (given) => given.every(isPrincipalSource),
  ),
  /**
   * Caching of Kinde's answers. `false` asks Kinde on every request; simultaneous requests with one key still share a call.
   * Default: on, see {@link KindeApiKeyCacheOptions}.
   */
  cache: offBy(
    false,
    section<KindeApiKeyCacheOptions, typeof CACHE_OPTIONS>(CACHE_OPTIONS, 'an object, or false to turn it off'),
  ),
  /**
   * Limit on refused keys per client network (an IPv4 address, an IPv6 /64). Beyond it, unknown keys get 429 `TOO_MANY_FAILED_ATTEMPTS`;
   * previously accepted keys are unaffected. Kinde's own example is `{ limit: 100, windowMs: 900_000 }`. Risk behind a proxy: unless Express's
   * `trust proxy` or Fastify's `trustProxy` is set, all clients count as one network. Default: not set, no limit.
   */
  failedAttempts: offBy(
    undefined,
    section<KindeApiKeyFailedAttemptsOptions, typeof FAILED_ATTEMPTS_OPTIONS>(
      FAILED_ATTEMPTS_OPTIONS,
      'an object, e.g. { limit: 100, windowMs: 900_000 }',
    ),
  ),
  /**
   * Limit on requests per key, in a sliding window over all routes without `@RateLimit()` or `@SkipRateLimit()`. Beyond it, requests get 429
   * `RATE_LIMITED`. Requests that are refused with 403 count, too; a rotated key keeps its window. Each process counts separately unless
   * `shared` is set. Default: not set, no limit.
   */
  rateLimit: offBy(
    undefined,
    section<KindeApiKeyRateLimitOptions, typeof RATE_LIMIT_OPTIONS>(
      RATE_LIMIT_OPTIONS,
      'an object, e.g. { limit: 100, windowMs: 60_000 }',
    ),
  ),
  /** How Kinde is called. Default: see {@link KindeConnectionOptions}. */
  kinde: section<KindeConnectionOptions, typeof CONNECTION_OPTIONS>(CONNECTION_OPTIONS),
  /**
   * Store that the instances of the app share: `redisStore({ client })` from `nestjs-kinde-api-key/redis`. They then share verdicts,
   * invalidations, one M2M token and rate limits. Default: not set, each process has its own.
   */
  shared: option<SharedStore, null>({
    takes: "a shared store: redisStore({ client }) from 'nestjs-kinde-api-key/redis'",
    accepts: (given) => isRecord(given) && isFunction(given.open) && typeof given.name === 'string',
    absent: null,
  }),
  /**
   * Asks Kinde at the start of the app whether it accepts the M2M application, and whether `apiId` and the scopes in decorators are registered.
   * `'warn'` logs what is wrong, `'error'` stops the boot, `false` does not ask. The start takes at most `kinde.timeoutMs` longer. An outage of
   * Kinde is a warning. Unless it is set, apps without an HTTP server do not ask. Default `'warn'`.
   */
  verifyAtBoot: option<'warn' | 'error' | false>({
    takes: "'warn', 'error' or false",
    accepts: (given) => given === 'warn' || given === 'error' || given === false,
    default: 'warn',
    absent: 'warn',
  }),
  /** Name of the route parameter that a bare `@OrgScoped()` compares. Default `'orgCode'`. */
  orgParam: option({ ...TEXT, default: 'orgCode', absent: 'orgCode' }),
  /**
   * Answers `ORG_MISMATCH`, `ORG_REQUIRED` and a 404 of a resolver like a missing route, byte for byte. Risk of `false`: a caller learns that a
   * resource of another organization exists. Default `false`.
   */
  hideExistence: flag(false),
  /** Realm of the challenge in `WWW-Authenticate`. Default `'api'`. */
  realm: option<string>({
    takes: 'printable ASCII without quotes and backslashes, because it is sent in a header',
    accepts: (given) => typeof given === 'string' && REALM.test(given) && given.trim() !== '',
    use: (given) => given.trim(),
    default: 'api',
    absent: 'api',
  }),
  /** Finds the credential of a microservice's message. Default: not set, messages to guarded handlers are refused. */
  rpcCredential: rpcCredentialOption,
  /**
   * The app's own guard classes that call `ApiKeyGuard` for every request. The boot check counts their routes as guarded. Risk: a guard that
   * lets some requests in without `ApiKeyGuard` enforces no rule for them. Default: not set.
   */
  guardedBy: list<GuardClass>('a list of classes', (given) => given.every(isFunction)),
  /** Called once for every decision, without a raw key; `auditLog()` makes such a function. Its result is not awaited; an error is logged and ignored. Default: not set. */
  onDecision: option<(decision: ApiKeyDecision) => unknown, null>({
    takes: 'a function',
    accepts: isFunction,
    absent: null,
  }),
};

/** The options of `KindeApiKeyModule.forRoot()`. An absent option comes from the environment or has a default. */
export interface KindeApiKeyOptions extends OptionalIn<typeof MODULE_OPTIONS> {}
