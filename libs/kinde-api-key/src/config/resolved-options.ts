import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';
import type {
  ApiKeyCredential,
  GuardClass,
  KindeApiKeyFailedAttemptsOptions,
  KindeApiKeyOptions,
  KindeHttpOptions,
} from '../kinde-api-key.options.js';
import type { ApiKeyDecision } from '../api-key/decision.js';
import { resolveOrigin } from './kinde-origin.js';
import { OptionsReader, isRecord } from './options-reader.js';
import type { SharedStore } from '../shared/shared-store.js';
import { resolveRateLimit, type ResolvedRateLimitOptions } from './resolved-rate-limit.js';

/** The options after every check, with every default filled in, in the slices that the rooms take. */
export interface ResolvedOptions {
  readonly kinde: {
    readonly origin: string;
    readonly clientId: string;
    readonly clientSecret: string;
    readonly audience: string;
    readonly apiId: string | null;
    readonly timeoutMs: number;
    readonly retries: number;
    readonly maxConcurrent: number;
    readonly maxPerSecond: number;
    readonly maxQueued: number;
  };
  readonly http: KindeHttpOptions;
  readonly cache: ResolvedCacheOptions | null;
  readonly rateLimit: ResolvedRateLimitOptions | null;
  readonly shared: SharedStore | null;
  readonly guard: ResolvedGuardOptions;
}

/** What the in-process cache goes by. */
export interface ResolvedCacheOptions {
  readonly ttlMs: number;
  readonly staleIfErrorMs: number;
  readonly negativeTtlMs: number;
  readonly maxKeys: number;
  readonly maxRefusals: number;
}

/** What the edge goes by. */
export interface ResolvedGuardOptions {
  readonly credentials: readonly ApiKeyCredential[];
  readonly keyPrefixes: readonly string[];
  readonly orgParam: string;
  readonly hideExistence: boolean;
  readonly realm: string;
  readonly guardedBy: readonly GuardClass[];
  readonly failedAttempts: KindeApiKeyFailedAttemptsOptions | null;
  readonly onDecision: ((decision: ApiKeyDecision) => unknown) | null;
}

const OPTION_NAMES = [
  'domain', 'clientId', 'clientSecret', 'audience', 'apiId', 'credentials', 'keyPrefixes', 'cache', 'failedAttempts', 'rateLimit', 'kinde',
  'shared',   'orgParam', 'hideExistence', 'realm', 'guardedBy', 'onDecision',
]; // prettier-ignore
const EXTRAS = ['isGlobal', 'globalGuard'];

/**
 * Checks the options, fills in what is missing from the environment and the defaults, and lists every problem at once.
 *
 * @param input what the app passed, of any shape: a factory's result is not checked by the compiler everywhere
 * @param env the environment, read now and not at import
 * @throws {KindeApiKeyConfigurationError} INVALID_CONFIGURATION with one line for each problem; no value of a secret is in it
 */
export function resolveOptions(input: KindeApiKeyOptions, env: NodeJS.ProcessEnv): ResolvedOptions {
  const options = new OptionsReader(input, '');
  for (const extra of EXTRAS) {
    if (options.has(extra)) {
      options.problem(
        extra,
        'belongs beside useFactory, useClass or useExisting: Nest needs it before the factory runs',
      );
    }
  }
  options.refuseUnknown([...OPTION_NAMES, ...EXTRAS]);

  const connection = options.section('kinde');
  connection.refuseUnknown([
    'timeoutMs',
    'retries',
    'maxConcurrent',
    'maxPerSecond',
    'maxQueued',
    'allowInsecureHost',
    'http',
  ]);
  const http = connection.section('http');
  http.refuseUnknown(['proxy', 'httpAgent', 'httpsAgent']);
  for (const name of ['proxy', 'httpAgent', 'httpsAgent']) http.object(name);

  const domain = options.text('domain', env, 'KINDE_DOMAIN');
  const origin = domain === undefined ? undefined : resolveOrigin(domain, connection.flag('allowInsecureHost', false));
  if (origin && 'problem' in origin) options.problem('domain', origin.problem);
  const originUrl = origin && 'url' in origin ? origin.url : '';

  const resolved: ResolvedOptions = {
    kinde: {
      origin: originUrl,
      clientId: options.text('clientId', env, 'KINDE_MANAGEMENT_CLIENT_ID') ?? '',
      clientSecret: options.text('clientSecret', env, 'KINDE_MANAGEMENT_CLIENT_SECRET') ?? '',
      audience: options.optionalText('audience') ?? `${originUrl}/api`,
      apiId: options.optionalText('apiId', env, 'KINDE_API_ID') ?? null,
      timeoutMs: connection.integer('timeoutMs', 100, 60_000, 2_000),
      retries: connection.integer('retries', 0, 5, 1),
      maxConcurrent: connection.integer('maxConcurrent', 1, 10_000, 64),
      maxPerSecond: connection.integer('maxPerSecond', 1, 100_000, 200),
      maxQueued: connection.integer('maxQueued', 0, 1_000_000, 1_000),
    },
    http: http.value as KindeHttpOptions,
    cache: resolveCache(options),
    rateLimit: resolveRateLimit(options),
    shared: resolveShared(options),
    guard: {
      credentials: resolveCredentials(options),
      keyPrefixes: options.texts('keyPrefixes'),
      orgParam: options.optionalText('orgParam') ?? 'orgCode',
      hideExistence: options.flag('hideExistence', false),
      realm: resolveRealm(options),
      guardedBy: options.functions('guardedBy') as unknown as readonly GuardClass[],
      failedAttempts: resolveFailedAttempts(options),
      onDecision: (options.optionalFunction('onDecision') as ResolvedGuardOptions['onDecision'] | undefined) ?? null,
    },
  };
  if (options.problems.length > 0) {
    throw new KindeApiKeyConfigurationError('KindeApiKeyModule cannot start with these options:', options.problems);
  }
  return resolved;
}

function resolveFailedAttempts(options: OptionsReader): KindeApiKeyFailedAttemptsOptions | null {
  if (!options.has('failedAttempts')) return null;
  const attempts = options.section('failedAttempts', 'an object, e.g. { limit: 100, windowMs: 900_000 }');
  attempts.refuseUnknown(['limit', 'windowMs']);
  return {
    limit: attempts.requiredInteger('limit', 1, 10_000),
    windowMs: attempts.requiredInteger('windowMs', 1_000, 86_400_000),
  };
}

function resolveShared(options: OptionsReader): SharedStore | null {
  const shared = options.get('shared');
  if (shared === undefined) return null;
  if (!isRecord(shared) || typeof shared.open !== 'function' || typeof shared.name !== 'string')
    options.problem('shared', "must be a shared store: redisStore({ client }) from 'nestjs-kinde-api-key/redis'");
  return shared as unknown as SharedStore;
}

function resolveCache(options: OptionsReader): ResolvedCacheOptions | null {
  if (options.get('cache') === false) return null;
  const cache = options.section('cache', 'an object, or false to turn it off');
  cache.refuseUnknown(['ttlMs', 'staleIfErrorMs', 'negativeTtlMs', 'maxKeys', 'maxRefusals']);
  return {
    ttlMs: cache.integer('ttlMs', 1_000, 3_600_000, 60_000),
    staleIfErrorMs: cache.integer('staleIfErrorMs', 0, 86_400_000, 240_000),
    negativeTtlMs: cache.integer('negativeTtlMs', 0, 600_000, 10_000),
    maxKeys: cache.integer('maxKeys', 1, 10_000_000, 50_000),
    maxRefusals: cache.integer('maxRefusals', 1, 10_000_000, 5_000),
  };
}

const HTTP_TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

function resolveCredentials(options: OptionsReader): readonly ApiKeyCredential[] {
  const given = options.get('credentials');
  if (given === undefined) return [{ header: 'authorization', scheme: 'Bearer' }];
  if (!Array.isArray(given) || given.length === 0) {
    options.problem('credentials', "must list at least one place for a key, e.g. [{ header: 'x-api-key' }]");
    return [];
  }
  const headers = new Set<string>();
  return given.map((credential: unknown, index): ApiKeyCredential => {
    const place = `credentials[${index}]`;
    const { header, scheme } = isRecord(credential) ? credential : {};
    if (typeof header !== 'string' || !HTTP_TOKEN.test(header)) {
      options.problem(
        place,
        "needs the name of a header, e.g. { header: 'x-api-key' }; a key in the query string would end up in logs",
      );
      return { header: '' };
    }
    const name = header.toLowerCase();
    if (headers.has(name)) options.problem(place, `names the header ${name} again: one entry for each header`);
    headers.add(name);
    if (scheme === undefined) {
      if (name === 'authorization')
        options.problem(place, "needs a scheme for this header, e.g. { header: 'authorization', scheme: 'Bearer' }");
      return { header: name };
    }
    if (typeof scheme === 'string' && HTTP_TOKEN.test(scheme)) return { header: name, scheme };
    options.problem(place, "has a scheme that is not one word, e.g. 'Bearer'");
    return { header: name };
  });
}

function resolveRealm(options: OptionsReader): string {
  const realm = options.optionalText('realm') ?? 'api';
  if (!/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/.test(realm)) {
    options.problem('realm', 'may hold printable ASCII without quotes and backslashes, because it stands in a header');
  }
  return realm;
}
