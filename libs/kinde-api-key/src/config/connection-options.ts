import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { flag, integer, object, section, type OptionalIn } from './option-kinds.js';

/** An HTTP proxy, in the form that axios takes. */
export interface KindeProxy {
  readonly protocol?: string;
  readonly host: string;
  readonly port: number;
  readonly auth?: { readonly username: string; readonly password: string };
}

/** The options of `kinde.http`. */
export const HTTP_OPTIONS = {
  /**
   * HTTP proxy, in the form that axios takes. Needs axios 1.17 or later, which tunnels; with an earlier one the app does not boot, and
   * `httpsAgent` can be set to an agent that tunnels instead. `HTTP_PROXY` and its like are not read: they would send your customers' keys
   * to a host that only the environment names. Default: not set.
   */
  proxy: object<KindeProxy>(),
  /** Agent for plain http, which is used with a loopback stand-in. Default: a keep-alive agent of the registration. */
  httpAgent: object<HttpAgent>(),
  /** Agent for https, e.g. one that tunnels through a proxy. Default: a keep-alive agent of the registration. */
  httpsAgent: object<HttpsAgent>(),
};

/** Settings of the HTTP client: how to leave the network. Settings that could weaken a check are not accepted. */
export interface KindeHttpOptions extends OptionalIn<typeof HTTP_OPTIONS> {}

/** The options of `kinde`. */
export const CONNECTION_OPTIONS = {
  /** Deadline of one whole verification, including the M2M token, the queue and retries. In milliseconds, 100 to 60,000. Default 2,000. */
  timeoutMs: integer({ min: 100, max: 60_000, default: 2_000, unit: 'ms' }),
  /** Maximum number of retries within the deadline, after a network failure, 502, 503 or 504. 0 to 5. Default 1. */
  retries: integer({ min: 0, max: 5, default: 1 }),
  /** Maximum number of calls in flight. A quarter of them is reserved for previously accepted keys. 1 to 10,000. Default 64. */
  maxConcurrent: integer({ min: 1, max: 10_000, default: 64 }),
  /** Maximum number of calls that are sent per second. 1 to 100,000. Default 200. */
  maxPerSecond: integer({ min: 1, max: 100_000, default: 200 }),
  /** Maximum number of queued verifications. When the queue is full, a request gets 503 at once. 0 to 1,000,000. Default 1,000. */
  maxQueued: integer({ min: 0, max: 1_000_000, default: 1_000 }),
  /**
   * Accepts any host, and plain http, in `domain`: for a stand-in for Kinde in a container network. Risk: keys and the client secret travel
   * unencrypted to any host that `domain` names. Never set it in production. Default `false`.
   */
  allowInsecureHost: flag(false),
  /** Settings of the HTTP client. Default: see {@link KindeHttpOptions}. */
  http: section<KindeHttpOptions, typeof HTTP_OPTIONS>(HTTP_OPTIONS),
};

/** How Kinde is called. */
export interface KindeConnectionOptions extends OptionalIn<typeof CONNECTION_OPTIONS> {}
