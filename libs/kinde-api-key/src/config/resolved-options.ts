import { EXTRA_OPTIONS } from './extra-options.js';
import type { KindeHttpOptions, ResolvedConnectionOptions } from './connection-options.js';
import { resolveOrigin } from './kinde-origin.js';
import { MODULE_OPTIONS, type KindeApiKeyOptions } from './module-options.js';
import { invalidOptions, isRecord, readTable, type UsedBy } from './option-table.js';

export type { ResolvedCacheOptions } from './cache-options.js';
export type { ResolvedRateLimitOptions } from './rate-limit-options.js';

type Used = UsedBy<typeof MODULE_OPTIONS>;

/** What the calls to Kinde need. */
export interface ResolvedKindeOptions
  extends
    Pick<Used, 'clientId' | 'clientSecret' | 'apiId'>,
    Omit<ResolvedConnectionOptions, 'http' | 'allowInsecureHost'> {
  /** `https://acme.kinde.com`, without a trailing slash. */
  readonly origin: string;
  readonly audience: string;
}

/** What the guard needs. */
export type ResolvedGuardOptions = Omit<
  Used,
  'domain' | 'clientId' | 'clientSecret' | 'audience' | 'apiId' | 'kinde' | 'cache' | 'rateLimit' | 'shared'
>;

/** The options after every check, with every default filled in: one slice for each module. */
export interface ResolvedOptions extends Pick<Used, 'cache' | 'rateLimit' | 'shared'> {
  readonly kinde: ResolvedKindeOptions;
  readonly http: KindeHttpOptions;
  readonly guard: ResolvedGuardOptions;
}

const EXTRAS = Object.keys(EXTRA_OPTIONS);

/**
 * Checks the options and fills in the environment and the defaults.
 *
 * @param input what the app passed, of any shape: the compiler does not check every factory's result
 * @param env the environment, read now and not at import
 * @throws {KindeApiKeyConfigurationError} INVALID_CONFIGURATION with every problem at once; it contains no value of a secret
 */
export function resolveOptions(input: KindeApiKeyOptions, env: NodeJS.ProcessEnv): ResolvedOptions {
  const given: unknown = input === undefined ? {} : input;
  if (!isRecord(given)) throw invalidOptions(['the options must be an object']);
  const problems: string[] = [];
  for (const extra of EXTRAS.filter((name) => given[name] !== undefined))
    problems.push(`${extra} belongs beside useFactory, useClass or useExisting: Nest needs it before the factory runs`);
  const used = readTable(MODULE_OPTIONS, given, { problems, env }, undefined, EXTRAS);
  const { domain, clientId, clientSecret, audience, apiId, kinde, cache, rateLimit, shared, ...guard } = used;
  const { allowInsecureHost, http, ...connection } = kinde;
  const origin = resolveOrigin(domain, allowInsecureHost);
  if ('problem' in origin && domain !== '') problems.push(`domain ${origin.problem}`);
  if ('problem' in origin || problems.length > 0) throw invalidOptions(problems);
  const audienceOrDefault = audience ?? `${origin.url}/api`;
  return {
    kinde: { origin: origin.url, clientId, clientSecret, audience: audienceOrDefault, apiId, ...connection },
    http,
    cache,
    rateLimit,
    shared,
    guard,
  };
}
