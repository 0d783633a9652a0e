import type { ApiKeyDecision } from '../api-key/decision.js';
import type { SharedStore } from '../shared/shared-store.js';
import { CACHE_OPTIONS, type KindeApiKeyCacheOptions } from './cache-options.js';
import { CONNECTION_OPTIONS, type KindeConnectionOptions } from './connection-options.js';
import { credentialList } from './credential-options.js';
import { flag, isRecord, offBy, option, section, TEXT, type OptionalIn, type OptionKind } from './option-kinds.js';
import {
  FAILED_ATTEMPTS_OPTIONS,
  RATE_LIMIT_OPTIONS,
  type KindeApiKeyFailedAttemptsOptions,
  type KindeApiKeyRateLimitOptions,
} from './rate-limit-options.js';

/** A guard class, abstract or not. */
// oxlint-disable-next-line typescript/no-explicit-any -- the constructor of an app's guard may take anything
export type GuardClass = abstract new (...args: any[]) => { canActivate(...args: any[]): unknown };

/** A controller class. */
// oxlint-disable-next-line typescript/no-explicit-any -- the constructor of an app's controller may take anything
export type ControllerClass = abstract new (...args: any[]) => object;

/** The text of a quoted string without escapes (RFC 9110 §5.6.4), in ASCII. */
const REALM = /^[\x20\x21\x23-\x5B\x5D-\x7E]+$/;

const isFunction = (given: unknown): boolean => typeof given === 'function';
const isText = (given: unknown): boolean => typeof given === 'string' && given !== '';

function list<Item>(takes: string, accepts: (given: readonly unknown[]) => boolean): OptionKind<readonly Item[]> {
  const isList = (given: unknown): boolean => Array.isArray(given) && accepts(given);
  return option<readonly Item[]>({ takes, accepts: isList, use: (given) => [...given], absent: [] });
}

function textOrEnv(env: string) {
  return option({ ...TEXT, env, absent: '', missing: `pass it to forRoot() or set ${env} in the environment` });
}

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
  audience: option<string, null>({ ...TEXT, absent: null }),
  /**
   * Id of a registered API (Kinde > Settings > APIs): keys of other APIs are refused. Costs one more call for a key that is not cached. Risk
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
   * `RATE_LIMITED`. Requests that are refused with 403 count, too, and a rotated key keeps its window. Each process counts separately unless
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
  /** Name of the route parameter that a bare `@OrgScoped()` compares. Default `'orgCode'`. */
  orgParam: option({ ...TEXT, default: 'orgCode', absent: 'orgCode' }),
  /**
   * Answers `ORG_MISMATCH` and `ORG_REQUIRED` with 404 `NOT_FOUND`, like a missing route. Risk of `false`: a caller learns that a resource of
   * another organization exists. Default `false`.
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
  /** The app's own guard classes that call `ApiKeyGuard`. The boot check counts their routes as guarded. Default: not set. */
  guardedBy: list<GuardClass>('a list of classes', (given) => given.every(isFunction)),
  /**
   * Called once for every decision, without a raw key. Its result is not awaited; an error is logged and ignored. Default: not set.
   */
  onDecision: option<(decision: ApiKeyDecision) => unknown, null>({
    takes: 'a function',
    accepts: isFunction,
    absent: null,
  }),
};

/** The options of `KindeApiKeyModule.forRoot()`. An absent option comes from the environment or has a default. */
export interface KindeApiKeyOptions extends OptionalIn<typeof MODULE_OPTIONS> {}

function isExemption(given: unknown): boolean {
  if (!isRecord(given) || Object.keys(given).some((name) => name !== 'publicControllers')) return false;
  return Array.isArray(given.publicControllers) && given.publicControllers.every(isFunction);
}

/** The options that Nest needs before any provider exists. */
export const EXTRA_OPTIONS = {
  /**
   * Whether one registration serves every module of the app. A second global registration stops the boot. For a second Kinde domain, use
   * `isGlobal: false` in the feature modules that need it. Default `true`.
   */
  isGlobal: flag(true),
  /**
   * `true` protects every route of the app, and stops the boot for a handler without an access decorator.
   * `{ publicControllers: [Class] }` does the same, except for controllers that you cannot edit. Risk of `false`: a route without
   * `@UseGuards(ApiKeyGuard)` is open. Default `false`.
   */
  globalGuard: option<boolean | { readonly publicControllers: readonly ControllerClass[] }>({
    takes: 'true, false or { publicControllers: [Class, ...] }',
    accepts: (given) => typeof given === 'boolean' || isExemption(given),
    default: false,
    absent: false,
  }),
};

/** The options beside `useFactory` in `forRootAsync`, and among the others in `forRoot`. */
export interface KindeApiKeyModuleExtras extends OptionalIn<typeof EXTRA_OPTIONS> {}
