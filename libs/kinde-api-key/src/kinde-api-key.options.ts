import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { ApiKeyDecision } from './api-key/decision.js';
import type { SharedStore } from './shared/shared-store.js';
import type { VerifiedApiKey } from './api-key/verified-api-key.js';

/** A place of the request where a key may stand. */
export interface ApiKeyCredential {
  /** The header's name, in any case, e.g. `authorization` or `x-api-key`. */
  readonly header: string;
  /** The scheme in front of the key, e.g. `Bearer`. Unset: the whole header is the key. Required for `authorization`. */
  readonly scheme?: string;
}

/** How long answers are remembered. Ages count from when the verify call was sent to Kinde. */
export interface KindeApiKeyCacheOptions {
  /**
   * How long an accepted key is served without asking Kinde again, in milliseconds, from 1,000 to 3,600,000.
   * A hot key is asked about again in the background before that, so nobody waits. A revoked key dies within this time. Default 60,000.
   */
  readonly ttlMs?: number;
  /**
   * How much longer an accepted key is served while Kinde cannot be reached, in milliseconds, from 0 (never) to 86,400,000.
   * `ttlMs + staleIfErrorMs` is the oldest answer that is ever accepted. Default 240,000.
   */
  readonly staleIfErrorMs?: number;
  /** How long a refused key is refused without asking Kinde again, in milliseconds, from 0 (always ask) to 600,000. Default 10,000. */
  readonly negativeTtlMs?: number;
  /** How many accepted keys are remembered, from 1 to 10,000,000; of 64 the least recently used one makes room. Default 50,000. */
  readonly maxKeys?: number;
  /** How many refusals are remembered, in a room of their own, so that bad keys evict no good one. From 1 to 10,000,000. Default 5,000. */
  readonly maxRefusals?: number;
}

/** What of the HTTP client may be set from outside: how to get out of the network, and nothing that could weaken a check. */
export interface KindeHttpOptions {
  /**
   * An HTTP proxy, in the form that axios takes. Default none: `HTTP_PROXY` and its like are not read, because they would send
   * the keys of your customers to whoever the environment names. For a proxy that tunnels, set `httpsAgent`.
   */
  readonly proxy?: {
    readonly protocol?: string;
    readonly host: string;
    readonly port: number;
    readonly auth?: { readonly username: string; readonly password: string };
  };
  /** Agent for plain http (a loopback stand-in). Default: one keep-alive agent of the registration's own. */
  readonly httpAgent?: HttpAgent;
  /** Agent for https, e.g. one that tunnels through a proxy. Default: one keep-alive agent of the registration's own. */
  readonly httpsAgent?: HttpsAgent;
}

/** How many refused keys one client network may send. */
export interface KindeApiKeyFailedAttemptsOptions {
  /** How many refused keys are looked at within the window, from 1 to 10,000. */
  readonly limit: number;
  /** Length of the window in milliseconds, from 1,000 to 86,400,000. */
  readonly windowMs: number;
}

/** How often one key may be used. */
export interface KindeApiKeyRateLimitOptions {
  /**
   * How many requests of one key are accepted in any window, from 1 to 10,000; or a function of the verified key that returns such a number,
   * e.g. by the plan of its organization. It is called for every request and must not wait. When it throws or returns anything else the limit is
   * not known and the request is refused with 429 `RATE_LIMITED`; the first time it is logged. Default 100.
   */
  readonly limit?: number | ((apiKey: VerifiedApiKey) => number);
  /** Length of the window in milliseconds, a whole number from 1,000 to 86,400,000 (a day). It slides: there is no moment at which all is reset. Default 60,000. */
  readonly windowMs?: number;
  /**
   * Which answers carry `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11), those of `@RateLimit()` included:
   * `'refusals'` only 429 `RATE_LIMITED`; `'always'` those to every request that was counted. Two headers cost a few microseconds a
   * request. Default `'refusals'`.
   */
  readonly headers?: 'refusals' | 'always';
}

/** How Kinde is called. */
export interface KindeConnectionOptions {
  /** Deadline of one whole verification in milliseconds, token, queue and retries included. From 100 to 60,000. Default 2,000. */
  readonly timeoutMs?: number;
  /** How often a call that failed on the network or with 502, 503 or 504 is sent again within the deadline. From 0 to 5. Default 1. */
  readonly retries?: number;
  /** How many calls may be under way at once; a quarter of them is kept for keys that were accepted before. From 1 to 10,000. Default 64. */
  readonly maxConcurrent?: number;
  /** How many calls may be sent in a second. From 1 to 100,000. Default 200. */
  readonly maxPerSecond?: number;
  /** How many verifications may wait for a place; what does not fit is answered 503 at once. From 0 to 1,000,000. Default 1,000. */
  readonly maxQueued?: number;
  /**
   * Accept any host, and plain http, in `domain`: for a stand-in for Kinde in a container network. Default `false`.
   * What is risked: keys and the client secret travel unencrypted to whatever `domain` names. Never set it in production.
   */
  readonly allowInsecureHost?: boolean;
  /** See {@link KindeHttpOptions}. */
  readonly http?: KindeHttpOptions;
}

/** The options of `KindeApiKeyModule.forRoot()`. Whatever is left out comes from the environment or has a default. */
export interface KindeApiKeyOptions {
  /**
   * The Kinde domain: `acme`, `acme.kinde.com` or `https://acme.kinde.com`. A custom domain is refused, because the token endpoint
   * lives on `*.kinde.com`; plain http is accepted for loopback only. Default: the environment's `KINDE_DOMAIN`.
   */
  readonly domain?: string;
  /** Client id of the M2M application. Default: the environment's `KINDE_MANAGEMENT_CLIENT_ID`. */
  readonly clientId?: string;
  /** Client secret of the M2M application. Default: the environment's `KINDE_MANAGEMENT_CLIENT_SECRET`. */
  readonly clientSecret?: string;
  /** Audience of the M2M token. Default `<origin of domain>/api`, which is the Kinde Management API. */
  readonly audience?: string;
  /**
   * Accept only keys that were made for this registered API (Kinde > Settings > APIs). Default: the environment's `KINDE_API_ID`, else
   * unset. Set it when the Kinde environment has more than one API: otherwise a key that was made for one is valid for all of them.
   * Costs one more call for a key that is not cached.
   */
  readonly apiId?: string;
  /** Where a key may stand. Never the query string, which ends up in logs. Default `[{ header: 'authorization', scheme: 'Bearer' }]`. */
  readonly credentials?: readonly ApiKeyCredential[];
  /** E.g. `['k_live_']`: a key that starts otherwise is refused before any call. Default: unset, any prefix. */
  readonly keyPrefixes?: readonly string[];
  /** `false` asks Kinde on every request (callers that come at the same time with the same key still share one call). */
  readonly cache?: false | KindeApiKeyCacheOptions;
  /**
   * Answer 429 `TOO_MANY_FAILED_ATTEMPTS` to a client network (an IPv4 address, an IPv6 /64) that keeps sending keys which are refused. A key that
   * was accepted before is never held up by it. The address is the framework's: set Express's `trust proxy` or Fastify's `trustProxy` behind a
   * proxy, or all clients are one network. Default: unset, no limit. Kinde's own example is `{ limit: 100, windowMs: 900_000 }`.
   */
  readonly failedAttempts?: KindeApiKeyFailedAttemptsOptions;
  /**
   * How often one key may be used: a sliding window over all routes that have no `@RateLimit()` or `@SkipRateLimit()` of their own. It goes by the
   * key's id, which survives a rotation, and counts every request with a good key, those included that are then refused with 403. What lies beyond it
   * gets 429 `RATE_LIMITED`. Each process counts by itself unless `shared` is set. Default: unset, no limit; `{}` is 100 requests in 60 seconds.
   */
  readonly rateLimit?: KindeApiKeyRateLimitOptions;
  /** See {@link KindeConnectionOptions}. */
  readonly kinde?: KindeConnectionOptions;
  /**
   * What the instances of the app share: `redisStore({ client })` from `nestjs-kinde-api-key/redis`. Then a key that one instance has
   * verified is known to all, `invalidate` reaches all, all use one M2M token, and rate limits count over all. Default: unset, each
   * process has its own.
   */
  readonly shared?: SharedStore;
  /** The route parameter that a bare `@OrgScoped()` compares. Default `'orgCode'`. */
  readonly orgParam?: string;
  /** Answer `ORG_MISMATCH` and `ORG_REQUIRED` like a route that does not exist (404 `NOT_FOUND`). Default `false`. */
  readonly hideExistence?: boolean;
  /** The realm of the challenge in `WWW-Authenticate`. Default `'api'`. */
  readonly realm?: string;
  /** Guard classes of the app's own that call `ApiKeyGuard`, so that the boot check counts the routes behind them as guarded. Default none. */
  readonly guardedBy?: readonly GuardClass[];
  /** Called once for every decision, not awaited; what it throws is logged and swallowed. It never sees a raw key. Default none. */
  readonly onDecision?: (decision: ApiKeyDecision) => unknown;
}

/** A guard class, abstract or not. */
// oxlint-disable-next-line typescript/no-explicit-any -- the constructor of a guard of the app's may take anything
export type GuardClass = abstract new (...args: any[]) => { canActivate(...args: any[]): unknown };

/** A factory for the options, for `forRootAsync({ useClass })` and `forRootAsync({ useExisting })`. */
export interface KindeApiKeyOptionsFactory {
  /** @returns the options, or a promise of them; checked as those of `forRoot` are */
  createKindeApiKeyOptions(): KindeApiKeyOptions | Promise<KindeApiKeyOptions>;
}

/** Options that Nest needs before the providers exist: beside `useFactory` in `forRootAsync`, among the others in `forRoot`. */
export interface KindeApiKeyModuleExtras {
  /**
   * One registration serves every module of the app. A second global one stops the boot; register a second Kinde domain with
   * `isGlobal: false` in the feature modules that use it. Default `true`.
   */
  readonly isGlobal?: boolean;
  /**
   * `true` protects every route of the app and stops the boot for a handler without a decision (one of the decorators).
   * `{ publicControllers: [Class] }` does the same and exempts controllers that you cannot edit. Default `false`.
   */
  readonly globalGuard?: boolean | { readonly publicControllers: readonly ControllerClass[] };
}

/** A controller class. */
// oxlint-disable-next-line typescript/no-explicit-any -- the constructor of a controller of the app's may take anything
export type ControllerClass = abstract new (...args: any[]) => object;
