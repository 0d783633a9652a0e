import fc from 'fast-check';
import { Agent } from 'node:http';
import { inspect } from 'node:util';
import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';
import type { KindeApiKeyOptions } from './module-options.js';
import type { SharedSession } from '../shared/shared-store.js';
import { resolveOptions } from './resolved-options.js';

const CREDENTIALS = { domain: 'acme', clientId: 'client', clientSecret: 'client_secret_value' };

/** Resolves what a factory or JavaScript may return: a value of any shape. */
function resolveAnything(input: unknown, env: NodeJS.ProcessEnv = {}) {
  return resolveOptions(input as KindeApiKeyOptions, env);
}

function errorOf(input: unknown, env: NodeJS.ProcessEnv = {}): KindeApiKeyConfigurationError | undefined {
  try {
    resolveAnything(input, env);
  } catch (error) {
    if (error instanceof KindeApiKeyConfigurationError) return error;
    throw error;
  }
  return undefined;
}

function problemsOf(input: unknown, env: NodeJS.ProcessEnv = {}): readonly string[] {
  return errorOf(input, env)?.problems ?? [];
}

describe('resolveOptions', () => {
  it('fills in every default', () => {
    expect(resolveOptions(CREDENTIALS, {})).toEqual({
      kinde: {
        origin: 'https://acme.kinde.com',
        clientId: 'client',
        clientSecret: 'client_secret_value',
        audience: 'https://acme.kinde.com/api',
        apiId: null,
        timeoutMs: 2_000,
        retries: 1,
        maxConcurrent: 64,
        maxPerSecond: 200,
        maxQueued: 1_000,
      },
      http: { proxy: null, httpAgent: null, httpsAgent: null },
      cache: { ttlMs: 60_000, staleIfErrorMs: 240_000, negativeTtlMs: 10_000, maxKeys: 50_000, maxRefusals: 5_000 },
      rateLimit: null,
      shared: null,
      verifyAtBoot: 'warn',
      guard: {
        credentials: [{ header: 'authorization', scheme: 'Bearer' }],
        keyPrefixes: [],
        orgParam: 'orgCode',
        hideExistence: false,
        realm: 'api',
        guardedBy: [],
        principals: [],
        failedAttempts: null,
        onDecision: null,
        rpcCredential: null,
      },
    });
  });

  it('keeps every option that is set', () => {
    const onDecision = (): void => {};
    const rpcCredential = (): string => 'k_live_1234567890abcdef';
    class Guard {
      canActivate(): boolean {
        return true;
      }
    }
    class Source {
      authenticate() {
        return null;
      }
    }
    const httpAgent = new Agent();
    const shared = { name: 'mine', open: () => ({}) as SharedSession };
    const given = {
      ...CREDENTIALS,
      domain: 'https://beta.kinde.com',
      audience: 'https://elsewhere/api',
      apiId: 'api_1',
      credentials: [{ header: 'X-Api-Key' }, { header: 'Authorization', scheme: 'Token' }],
      keyPrefixes: ['acme_'],
      cache: { ttlMs: 1_000, staleIfErrorMs: 0, negativeTtlMs: 0, maxKeys: 1, maxRefusals: 1 },
      kinde: {
        timeoutMs: 100,
        retries: 0,
        maxConcurrent: 1,
        maxPerSecond: 1,
        maxQueued: 0,
        http: { httpAgent, proxy: { host: 'proxy', port: 3128 } },
      },
      shared,
      verifyAtBoot: 'error' as const,
      orgParam: 'tenant',
      failedAttempts: { limit: 10_000, windowMs: 1_000 },
      rateLimit: { limit: 10_000, windowMs: 86_400_000, headers: 'always' as const },
      hideExistence: true,
      realm: 'Acme',
      guardedBy: [Guard],
      principals: [Source],
      onDecision,
      rpcCredential,
    };
    expect(resolveOptions(given, {})).toEqual({
      kinde: {
        origin: 'https://beta.kinde.com',
        clientId: 'client',
        clientSecret: 'client_secret_value',
        audience: 'https://elsewhere/api',
        apiId: 'api_1',
        timeoutMs: 100,
        retries: 0,
        maxConcurrent: 1,
        maxPerSecond: 1,
        maxQueued: 0,
      },
      http: { httpAgent, httpsAgent: null, proxy: { host: 'proxy', port: 3128 } },
      cache: given.cache,
      rateLimit: given.rateLimit,
      shared,
      verifyAtBoot: 'error',
      guard: {
        credentials: [{ header: 'x-api-key' }, { header: 'authorization', scheme: 'Token' }],
        keyPrefixes: ['acme_'],
        orgParam: 'tenant',
        hideExistence: true,
        realm: 'Acme',
        guardedBy: [Guard],
        principals: [Source],
        failedAttempts: { limit: 10_000, windowMs: 1_000 },
        onDecision,
        rpcCredential,
      },
    });
  });

  it('limits to 100 requests in 60 seconds when rateLimit is {}, and not at all when it is absent', () => {
    const limit = (): number => 7;
    const limitOf = (rateLimit: KindeApiKeyOptions['rateLimit']) =>
      resolveAnything({ ...CREDENTIALS, rateLimit }).rateLimit;
    expect(limitOf(undefined)).toBeNull();
    expect(limitOf({})).toEqual({ limit: 100, windowMs: 60_000, headers: 'refusals' });
    expect(limitOf({ limit, headers: 'always' })).toEqual({ limit, windowMs: 60_000, headers: 'always' });
  });

  it('turns the cache off for false, and rejects null, true, 0 and a text', () => {
    expect(resolveOptions({ ...CREDENTIALS, cache: false }, {}).cache).toBeNull();
    for (const cache of [null, true, 0, 'off']) {
      expect(problemsOf({ ...CREDENTIALS, cache })).toEqual(['cache must be an object, or false to turn it off']);
    }
  });

  it('copies a list, so that the app cannot change it later', () => {
    const keyPrefixes = ['acme_'];
    const { guard } = resolveOptions({ ...CREDENTIALS, keyPrefixes }, {});
    keyPrefixes.push('other_');
    expect(guard.keyPrefixes).toEqual(['acme_']);
  });

  it('reads the options of a class through its getters', () => {
    class Settings {
      readonly clientId = 'client';
      readonly clientSecret = 'client_secret_value';
      get domain(): string {
        return 'beta';
      }
    }
    expect(resolveOptions(new Settings(), {}).kinde.origin).toBe('https://beta.kinde.com');
  });
});

describe('the environment', () => {
  const env = {
    KINDE_DOMAIN: 'acme',
    KINDE_MANAGEMENT_CLIENT_ID: 'id_of_env',
    KINDE_MANAGEMENT_CLIENT_SECRET: 'secret_of_env',
    KINDE_API_ID: 'api_of_env',
  };

  it('provides the options that are absent', () => {
    expect(resolveOptions({}, env).kinde).toMatchObject({
      origin: 'https://acme.kinde.com',
      clientId: 'id_of_env',
      clientSecret: 'secret_of_env',
      apiId: 'api_of_env',
    });
  });

  it('is overridden by the options', () => {
    expect(resolveOptions({ ...CREDENTIALS, domain: 'beta', apiId: 'api_of_options' }, env).kinde).toMatchObject({
      origin: 'https://beta.kinde.com',
      clientId: 'client',
      clientSecret: 'client_secret_value',
      apiId: 'api_of_options',
    });
  });

  it('is read at each call', () => {
    const changing: NodeJS.ProcessEnv = { ...env };
    expect(resolveOptions({}, changing).kinde.clientId).toBe('id_of_env');
    changing.KINDE_MANAGEMENT_CLIENT_ID = 'later';
    expect(resolveOptions({}, changing).kinde.clientId).toBe('later');
  });

  it('is the argument and not process.env', () => {
    jest.replaceProperty(process, 'env', { ...process.env, ...env });
    expect(problemsOf({}, {})).toHaveLength(3);
    jest.restoreAllMocks();
  });
});

describe('an incomplete configuration', () => {
  it.each([
    [['domain'], 'KINDE_DOMAIN'],
    [['clientId'], 'KINDE_MANAGEMENT_CLIENT_ID'],
    [['clientSecret'], 'KINDE_MANAGEMENT_CLIENT_SECRET'],
  ])('without %s is rejected with the name of the variable', ([name], variable) => {
    const half = Object.fromEntries(Object.entries(CREDENTIALS).filter(([field]) => field !== name));
    expect(problemsOf(half)).toEqual([
      `${name} is missing: pass it to forRoot() or set ${variable} in the environment`,
    ]);
  });

  it('is rejected with all missing options at once', () => {
    expect(() => resolveOptions({}, {})).toThrow(
      [
        'KindeApiKeyModule cannot start with these options:',
        '  - domain is missing: pass it to forRoot() or set KINDE_DOMAIN in the environment',
        '  - clientId is missing: pass it to forRoot() or set KINDE_MANAGEMENT_CLIENT_ID in the environment',
        '  - clientSecret is missing: pass it to forRoot() or set KINDE_MANAGEMENT_CLIENT_SECRET in the environment',
      ].join('\n'),
    );
  });

  it('does not fall back to the environment for an empty client secret', () => {
    expect(
      problemsOf({ ...CREDENTIALS, clientSecret: '' }, { KINDE_MANAGEMENT_CLIENT_SECRET: 'secret_of_env' }),
    ).toEqual([expect.stringMatching(/^clientSecret must be a text that is not empty/)]);
  });
});

describe('a wrong option', () => {
  it.each<[string, object, string]>([
    ['a custom domain', { domain: 'auth.acme.com' }, 'domain is a custom domain (auth.acme.com)'],
    ['plain http', { domain: 'http://acme.kinde.com' }, 'domain must use https'],
    ['an option that does not exist', { ttlMs: 5 }, 'ttlMs is not an option; known here: domain, clientId'],
    ['an unknown option of kinde', { kinde: { timeout: 5 } }, 'kinde.timeout is not an option; known here: timeoutMs'],
    ['an unknown option of the cache', { cache: { ttl: 5 } }, 'cache.ttl is not an option; known here: ttlMs'],
    [
      'an option of http that could weaken a check',
      { kinde: { http: { maxRedirects: 5 } } },
      'kinde.http.maxRedirects is not an option; known here: proxy, httpAgent, httpsAgent',
    ],
    ['a proxy that is a text', { kinde: { http: { proxy: 'http://p' } } }, 'kinde.http.proxy must be an object'],
    ['kinde that is a text', { kinde: 'acme' }, 'kinde must be an object'],
    ['a flag as a text', { kinde: { allowInsecureHost: 'true' } }, 'kinde.allowInsecureHost must be true or false'],
    ['hideExistence as a number', { hideExistence: 1 }, 'hideExistence must be true or false'],
    ['a time to live under a second', { cache: { ttlMs: 999 } }, 'cache.ttlMs must be a whole number from 1000 to'],
    ['failedAttempts without a window', { failedAttempts: { limit: 5 } }, 'failedAttempts.windowMs is missing'],
    [
      'failedAttempts without a limit',
      { failedAttempts: { windowMs: 5_000 } },
      'failedAttempts.limit is missing: a whole number from 1 to 10000',
    ],
    [
      'a limit of 0 for failedAttempts',
      { failedAttempts: { limit: 0, windowMs: 5_000 } },
      'failedAttempts.limit must be a whole number from 1 to 10000',
    ],
    [
      'an unknown option of failedAttempts',
      { failedAttempts: { limit: 5, windowMs: 5_000, perKey: true } },
      'failedAttempts.perKey is not an option',
    ],
    [
      'rateLimit that is a flag',
      { rateLimit: true },
      'rateLimit must be an object, e.g. { limit: 100, windowMs: 60_000 }',
    ],
    [
      'rateLimit that is null',
      { rateLimit: null },
      'rateLimit must be an object, e.g. { limit: 100, windowMs: 60_000 }',
    ],
    ['a limit of 0', { rateLimit: { limit: 0 } }, 'rateLimit.limit must be a whole number from 1 to 10000'],
    ['a limit that is too large', { rateLimit: { limit: 10_001 } }, 'rateLimit.limit must be a whole number from 1 to'],
    ['half a request', { rateLimit: { limit: 1.5 } }, 'rateLimit.limit must be a whole number from 1 to 10000'],
    ['a limit as a text', { rateLimit: { limit: '100' } }, 'rateLimit.limit must be a whole number from 1 to 10000'],
    [
      'a window under a second',
      { rateLimit: { windowMs: 999 } },
      'rateLimit.windowMs must be a whole number from 1000 to 86400000',
    ],
    ['a window over a day', { rateLimit: { windowMs: 86_400_001 } }, 'rateLimit.windowMs must be a whole number from'],
    ['half a millisecond', { rateLimit: { windowMs: 1_000.5 } }, 'rateLimit.windowMs must be a whole number from'],
    [
      'an unknown value of headers',
      { rateLimit: { headers: 'never' } },
      "rateLimit.headers must be 'refusals' or 'always'",
    ],
    ['null for headers', { rateLimit: { headers: null } }, "rateLimit.headers must be 'refusals' or 'always'"],
    ['an unknown option of rateLimit', { rateLimit: { window: 60 } }, 'rateLimit.window is not an option; known here'],
    [
      'an empty list of prefixes',
      { keyPrefixes: [] },
      'keyPrefixes must be a list of at least one text that is not empty',
    ],
    ['an empty prefix', { keyPrefixes: [''] }, 'keyPrefixes must be a list of at least one text that is not empty'],
    ['sources without authenticate()', { principals: [class {}] }, 'principals must be a list of classes'],
    ['a source by name', { principals: ['Source'] }, 'principals must be a list of classes'],
    ['one source', { principals: Object }, 'principals must be a list of classes'],
    ['another mode at boot', { verifyAtBoot: true }, "verifyAtBoot must be 'warn', 'error' or false"],
    ['guards by name', { guardedBy: ['Guard'] }, 'guardedBy must be a list of classes'],
    ['a listener that is not a function', { onDecision: {} }, 'onDecision must be a function'],
    [
      'a credential that is no function',
      { rpcCredential: 'apiKey' },
      'rpcCredential must be a function of the payload',
    ],
    ['an empty api id', { apiId: '' }, 'apiId must be a text that is not empty'],
    ['an empty parameter', { orgParam: '' }, 'orgParam must be a text that is not empty'],
    ['a realm with a quote', { realm: 'a"b' }, 'realm must be printable ASCII without quotes and backslashes'],
    ['a realm with a line break', { realm: 'a\r\nX: y' }, 'realm must be printable ASCII'],
    ['isGlobal in the result of a factory', { isGlobal: false }, 'isGlobal belongs beside useFactory'],
    ['globalGuard in the result of a factory', { globalGuard: true }, 'globalGuard belongs beside useFactory'],
  ])('is rejected: %s', (_case, wrong, problem) => {
    expect(problemsOf({ ...CREDENTIALS, ...wrong })).toEqual([expect.stringContaining(problem)]);
  });

  it.each<[string, unknown, string]>([
    ['an empty list', [], 'credentials must be a list of at least one header'],
    ['an object', { header: 'x-api-key' }, 'credentials must be a list of at least one header'],
    [
      'the query string',
      [{ header: 'x-api-key', query: 'key' }],
      'credentials[0].query is not an option; known here: header, scheme',
    ],
    ['a header without a name', [{}], 'credentials[0].header is missing: the name of a header'],
    ['a name with a colon', [{ header: 'x-api-key:' }], 'credentials[0].header must be the name of a header'],
    ['a text', ['x-api-key'], "credentials[0] must be an object, e.g. { header: 'x-api-key' }"],
    ['Authorization alone', [{ header: 'Authorization' }], 'credentials[0].scheme is missing: this header needs one'],
    [
      'two words for a scheme',
      [{ header: 'authorization', scheme: 'API Key' }],
      'credentials[0].scheme must be one word',
    ],
    ['a number for a scheme', [{ header: 'x-api-key', scheme: 7 }], 'credentials[0].scheme must be one word'],
    [
      'one header twice, in another case',
      [{ header: 'x-api-key' }, { header: 'X-API-Key', scheme: 'Token' }],
      'credentials[1].header is in the list already: list each header once',
    ],
  ])('is rejected: %s among the credentials', (_case, credentials, problem) => {
    expect(problemsOf({ ...CREDENTIALS, credentials })).toEqual([expect.stringContaining(problem)]);
  });

  it.each([[null], [[]], ['acme'], [7]])('is rejected: %p', (input) => {
    expect(problemsOf(input, {})).toEqual(['the options must be an object']);
  });

  it('is reported together with all others, each once', () => {
    const wrong = {
      domain: 'auth.acme.com',
      clientId: 7,
      unknown: 1,
      isGlobal: true,
      credentials: [{ header: '' }, { header: 'authorization' }],
      keyPrefixes: 'k_',
      cache: { ttlMs: '5', maxKeys: 0 },
      kinde: { timeoutMs: 1, http: { agent: {} } },
      realm: '"',
    };
    expect(problemsOf(wrong)).toEqual([
      expect.stringMatching(/^isGlobal belongs/),
      expect.stringMatching(/^unknown is not an option/),
      expect.stringMatching(/^clientId must be a text/),
      expect.stringMatching(/^clientSecret is missing/),
      expect.stringMatching(/^credentials\[0\]\.header must be the name/),
      expect.stringMatching(/^credentials\[1\]\.scheme is missing/),
      expect.stringMatching(/^keyPrefixes must be/),
      expect.stringMatching(/^cache\.ttlMs must be/),
      expect.stringMatching(/^cache\.maxKeys must be/),
      expect.stringMatching(/^kinde\.timeoutMs must be/),
      expect.stringMatching(/^kinde\.http\.agent is not an option/),
      expect.stringMatching(/^realm must be/),
      expect.stringMatching(/^domain is a custom domain/),
    ]);
  });

  it('is reported once when a whole section is wrong', () => {
    expect(problemsOf({ ...CREDENTIALS, failedAttempts: 5 })).toEqual([
      'failedAttempts must be an object, e.g. { limit: 100, windowMs: 900_000 }',
    ]);
  });

  it('is printed once when Nest logs the failed boot', () => {
    const printed = inspect(errorOf({ ...CREDENTIALS, realm: '"', cache: { ttlMs: 1 } }));
    for (const problem of ['realm must be', 'cache.ttlMs must be']) expect(printed.split(problem)).toHaveLength(2);
  });

  it('is a KindeApiKeyConfigurationError with the code INVALID_CONFIGURATION', () => {
    expect(() => resolveOptions({}, {})).toThrow(
      expect.objectContaining({ name: 'KindeApiKeyConfigurationError', code: 'INVALID_CONFIGURATION' }),
    );
  });
});

describe('a secret', () => {
  const SECRET = fc.stringMatching(/^[A-Za-z0-9]{24,40}$/).map((text) => `secret${text}`);

  it('is not in any message, at any position in a wrong value', () => {
    const options = (secret: string) => ({
      clientSecret: fc.constantFrom<unknown>(secret, [secret], { secret }, ` ${secret} `),
      clientId: fc.constantFrom<unknown>(secret, [secret], undefined),
      audience: fc.constantFrom<unknown>([secret], undefined),
      apiId: fc.constantFrom<unknown>([secret], undefined),
      realm: fc.constantFrom<unknown>(`"${secret}"`, [secret], undefined),
      keyPrefixes: fc.constantFrom<unknown>(secret, [secret, 7], undefined),
      credentials: fc.constantFrom<unknown>(secret, [secret], [{ header: `:${secret}` }], undefined),
      cache: fc.constantFrom<unknown>(secret, { ttlMs: secret }, undefined),
      kinde: fc.constantFrom<unknown>(secret, { timeoutMs: secret, http: { proxy: secret } }, undefined),
      orgParam: fc.constantFrom<unknown>([secret], undefined),
      onDecision: fc.constantFrom<unknown>(secret, undefined),
      guardedBy: fc.constantFrom<unknown>([secret], undefined),
      domain: fc.constantFrom<unknown>(`https://user:${secret}@acme.kinde.com`, `https://acme.kinde.com/${secret}`, [
        secret,
      ]),
    });
    fc.assert(
      fc.property(
        SECRET.chain((secret) => fc.tuple(fc.constant(secret), fc.record(options(secret)))),
        ([secret, input]) => {
          const problems = problemsOf(input, { KINDE_MANAGEMENT_CLIENT_SECRET: secret });
          expect(problems.length).toBeGreaterThan(0);
          expect(problems.join('\n').toLowerCase()).not.toContain(secret.toLowerCase());
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
