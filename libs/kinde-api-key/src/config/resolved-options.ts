import { EXTRA_OPTIONS, invalidOptions } from './extra-options.js';
import { resolveOrigin } from './kinde-origin.js';
import { MODULE_OPTIONS, type KindeApiKeyOptions } from './module-options.js';
import { isRecord, readTable } from './option-kinds.js';

/** The options after every check, with every default filled in: one slice for each module. */
export type ResolvedOptions = ReturnType<typeof resolveOptions>;

/** What the guard needs. */
export type ResolvedGuardOptions = ResolvedOptions['guard'];

/** The option `cache` with its defaults. */
export type ResolvedCacheOptions = NonNullable<ResolvedOptions['cache']>;

/** The limit of every route without a limit of its own. */
export type ResolvedRateLimitOptions = NonNullable<ResolvedOptions['rateLimit']>;

const EXTRAS = Object.keys(EXTRA_OPTIONS);

/**
 * Checks the options, of any shape because the compiler does not check every factory's result. Fills in the environment and the defaults.
 *
 * @throws {KindeApiKeyConfigurationError} INVALID_CONFIGURATION with every problem at once; it contains no value of a secret
 */
export function resolveOptions(input: KindeApiKeyOptions, env: NodeJS.ProcessEnv) {
  const given: unknown = input === undefined ? {} : input;
  if (!isRecord(given)) throw invalidOptions(['the options must be an object']);
  const problems: string[] = [];
  for (const extra of EXTRAS.filter((name) => given[name] !== undefined))
    problems.push(`${extra} belongs beside useFactory, useClass or useExisting: Nest needs it before the factory runs`);
  const used = readTable(MODULE_OPTIONS, given, { problems, env }, undefined, EXTRAS);
  const { domain, clientId, clientSecret, audience, apiId, kinde, cache, rateLimit, shared, verifyAtBoot, ...guard } =
    used;
  const { allowInsecureHost, http, ...connection } = kinde;
  const origin = resolveOrigin(domain, allowInsecureHost);
  if ('problem' in origin && domain !== '') problems.push(`domain ${origin.problem}`);
  if ('problem' in origin || problems.length > 0) throw invalidOptions(problems);
  const credentials = { clientId, clientSecret, apiId, audience: audience ?? `${origin.url}/api` };
  return {
    kinde: { origin: origin.url, ...credentials, ...connection },
    http,
    cache,
    rateLimit,
    shared,
    verifyAtBoot,
    guard,
  };
}
