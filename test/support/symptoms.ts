import { Agent, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ApiKeysService, type KindeApiKeyOptions } from 'nestjs-kinde-api-key';
import {
  KindeEmulator,
  TestClock,
  type KindeEmulatorApplicationOptions,
  type KindeEmulatorFault,
} from 'nestjs-kinde-api-key/testing';
import { ApiKeyTokenExchange } from 'nestjs-kinde-api-key/tokens';
import { SELF_SIGNED } from './self-signed.js';
import {
  ACCESS_TOKENS,
  AUDIENCE,
  controllerRequiring,
  SymptomBench,
  textOf,
  UNKNOWN_KEY,
  type Evidence,
  type Source,
  type SymptomSetup,
} from './symptom-bench.js';

/** What is printed about a cause, word for word: what is wrong, and what to do. */
type Texts = readonly [says: string, cure: string];

/** Where the texts are printed. */
type Print = readonly [from: Source, ...Texts];

/** A row of the page: what is seen, why, and what prints that. */
export interface Symptom {
  /** A refusal begins with its status and code. */
  readonly symptom: string;
  readonly cause: string;
  /** The first is shown on the page. */
  readonly prints: readonly [Print, ...Print[]];
  /** Brings the symptom about, and returns what was printed. */
  readonly bring: (start: Start) => Promise<Evidence>;
}

/** Starts an app; the test closes it. */
export type Start = (setup?: SymptomSetup) => Promise<SymptomBench>;

const inAnswer = (...texts: Texts): Print => ['answer', ...texts];
const inDoctor = (...texts: Texts): Print => ['doctor', ...texts];
const inLog = (...texts: Texts): Print => ['log', ...texts];
const inError = (...texts: Texts): Print => ['error', ...texts];

const KEYS_MENU = 'Kinde > (the user or the organization) > API keys';
const DOMAIN_MENU = 'Kinde > Settings > Environment > Details';
const M2M_MENU = 'Kinde > Settings > Applications > (the M2M application)';
const KEY_HEADER = 'the header "Authorization: Bearer <API key>"';

const NOT_KNOWN = inDoctor(
  'Kinde does not know the key',
  `Compare the key with the one that was issued, and the environment ('domain'). A lost key is replaced in ${KEYS_MENU}`,
);
const NO_CLIENT: Texts = [
  'Kinde does not know the M2M credentials (invalid_client)',
  `Compare KINDE_MANAGEMENT_CLIENT_ID and KINDE_MANAGEMENT_CLIENT_SECRET with ${M2M_MENU} > Details, and KINDE_DOMAIN with ${DOMAIN_MENU}`,
];
const CHECK_KEY = inAnswer('Invalid API key', 'Check that the key is complete and belongs to this API and environment');
const WAIT = 'Send the request again after as many seconds as the header "Retry-After" says';
const KEEP_KEY = 'Your API key was not refused: keep it';

/** A request with a key: what the client reads, what the doctor prints about the key, and what the log says. */
async function requestWith(bench: SymptomBench, key: string, path = '/any'): Promise<Evidence> {
  const answer = textOf(await bench.get(path, key));
  return { answer, doctor: await bench.doctor(key), log: bench.log };
}

/** A request of an app that is not set up correctly: the key is good. */
async function goodKey(bench: SymptomBench): Promise<Evidence> {
  const { key } = bench.emulator.createKey({ scopes: ['read:users'] });
  const answer = textOf(await bench.get('/any', key));
  return { answer, doctor: await bench.doctor(), log: bench.log };
}

/** An app with other M2M credentials or permissions than it needs. */
function misconfigured(
  cause: string,
  texts: Texts,
  change: KindeEmulatorApplicationOptions | { readonly tokenError: 'invalid_scope' | 'invalid_request' },
): Symptom {
  return {
    symptom: '503 `VERIFICATION_MISCONFIGURED`',
    cause,
    prints: [
      inDoctor(...texts),
      inLog(...texts),
      inAnswer('this service is not set up correctly', 'Report this to the operator of the API'),
    ],
    bring: async (start) => {
      const bench = await start();
      if ('tokenError' in change) bench.emulator.failUntilCleared(change, 'token');
      else bench.emulator.changeApplication(change);
      return goodKey(bench);
    },
  };
}

/** A Kinde that does not answer as it should, in an app with these options. */
function unreachable(cause: string, ofDoctor: Texts, ofLog: Texts, bring: Symptom['bring']): Symptom {
  return {
    symptom: '503 `VERIFICATION_UNAVAILABLE`',
    cause,
    prints: [inDoctor(...ofDoctor), inLog(...ofLog), inAnswer('API keys cannot be verified at the moment', KEEP_KEY)],
    bring,
  };
}

const failing =
  (fault: KindeEmulatorFault): Symptom['bring'] =>
  async (start) => {
    const bench = await start({ options: { kinde: { retries: 0 } } });
    bench.emulator.failUntilCleared(fault);
    return goodKey(bench);
  };

async function requestTo(start: Start, options: KindeApiKeyOptions): Promise<Evidence> {
  const bench = await start({ options: { kinde: { retries: 0 }, ...options } });
  return goodKey(bench);
}

/** Exchanges a key for a token, and returns the error. */
async function exchangeError(bench: SymptomBench, key: string, scope?: string): Promise<Evidence> {
  const error = await bench.errorOf((app) =>
    app.get(ApiKeyTokenExchange).tokenFor(key, scope === undefined ? {} : { scope }),
  );
  return { error };
}

async function withCertificate(start: Start): Promise<Evidence> {
  const server = createServer(SELF_SIGNED).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    return await requestTo(start, { domain: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
  } finally {
    server.close();
  }
}

const UNRESOLVED = new Agent({
  lookup: (hostname, _options, done) => {
    const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`);
    done(Object.assign(error, { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname }), '', 4);
  },
});

const BLOCK_PAGE = (status: number): KindeEmulatorFault => ({
  status,
  body: '<html><title>Access denied: your country is blocked</title></html>',
  headers: { 'content-type': 'text/html' },
});

/** The symptoms, by what they have in common. */
export const SYMPTOMS: Readonly<Record<string, readonly Symptom[]>> = {
  'Authentication fails: 400 and 401': [
    {
      symptom: '401 `MISSING_KEY`',
      cause: 'the key is in the query string, in another header, or behind another scheme',
      prints: [inAnswer(`API key required: send it in ${KEY_HEADER}`, `Send your API key in ${KEY_HEADER}`)],
      bring: async (start) => {
        const bench = await start();
        const { key } = bench.emulator.createKey();
        const wrong = [`ApiKey ${key}`, `Token ${key}`].map((authorization) => ({ authorization }));
        const answers = [
          await bench.get(`/any?api_key=${key}`),
          await bench.get('/any', undefined, { headers: { 'x-api-key': key } }),
        ];
        for (const headers of wrong) answers.push(await bench.get('/any', undefined, { headers }));
        return { answer: onlyOneOf(answers.map(textOf)) };
      },
    },
    {
      symptom: '400 `MALFORMED_REQUEST`',
      cause: 'the prefix `Bearer ` is missing',
      prints: [inAnswer('(with the prefix "Bearer ")', `Send one API key in ${KEY_HEADER}, once`)],
      bring: async (start) => {
        const bench = await start();
        const { key } = bench.emulator.createKey();
        return { answer: textOf(await bench.get('/any', undefined, { headers: { authorization: key } })) };
      },
    },
    {
      symptom: '400 `MALFORMED_REQUEST`',
      cause: 'the key is cut off, or has quotes or blanks in it',
      prints: [
        inDoctor(
          'it has 10 characters; a key has 16 to 512',
          `Send the API key itself, as "Authorization: Bearer <API key>". A lost key is replaced in ${KEYS_MENU}`,
        ),
        inAnswer('Malformed credentials', 'A key has 16 to 512 characters and no blanks'),
      ],
      bring: async (start) => requestWith(await start(), 'k_live_123'),
    },
    {
      symptom: '401 `INVALID_KEY`',
      cause: 'Kinde does not know the key: it was mistyped, or deleted',
      prints: [NOT_KNOWN, CHECK_KEY],
      bring: async (start) => requestWith(await start(), UNKNOWN_KEY),
    },
    {
      symptom: '401 `INVALID_KEY`',
      cause: 'the key was rotated, and its old secret is sent',
      prints: [
        NOT_KNOWN,
        inAnswer('Invalid API key', 'A key that was rotated or deleted has to be replaced by a new one'),
      ],
      bring: async (start) => {
        const bench = await start();
        const { key, keyId } = bench.emulator.createKey();
        bench.emulator.rotateKey(keyId);
        return requestWith(bench, key);
      },
    },
    {
      symptom: '401 `INVALID_KEY`',
      cause: 'the key belongs to another Kinde environment',
      prints: [NOT_KNOWN, CHECK_KEY],
      bring: async (start) => {
        await using other = await KindeEmulator.start();
        return requestWith(await start(), other.createKey().key);
      },
    },
    {
      symptom: '401 `INVALID_KEY`',
      cause: 'the key belongs to another API than `apiId`',
      prints: [
        inDoctor(
          'the key belongs to another API than apiId',
          `Create a key for this API in ${KEYS_MENU} > Add API key, or correct apiId`,
        ),
        inLog(
          "Kinde calls a key valid that belongs to another API than 'apiId'",
          'compare KINDE_API_ID with the id in Kinde > Settings > APIs > (the API) > Details',
        ),
        CHECK_KEY,
      ],
      bring: async (start) => {
        const apis = [
          { id: 'api_1', name: 'One' },
          { id: 'api_2', name: 'Two' },
        ];
        const bench = await start({ emulator: { apis }, options: { apiId: 'api_2' } });
        return requestWith(bench, bench.emulator.createKey({ apiId: 'api_1' }).key);
      },
    },
    {
      symptom: '401 `INVALID_KEY` for every key',
      cause: 'no registered API has the id in `apiId`',
      prints: [
        inDoctor(
          'no registered API has the id api_9. Every key is refused',
          'Set KINDE_API_ID to an id of Kinde > Settings > APIs',
        ),
        inLog("another API than 'apiId'", 'compare KINDE_API_ID with the id in Kinde > Settings > APIs'),
      ],
      bring: async (start) => {
        const bench = await start({ options: { apiId: 'api_9' } });
        return goodKey(bench);
      },
    },
    {
      symptom: '401 `INVALID_KEY`',
      cause: 'the key starts with another prefix than `keyPrefixes` allow',
      prints: [inAnswer('it starts with another prefix than the keys of this API', CHECK_KEY[2])],
      bring: async (start) => {
        const bench = await start({ options: { keyPrefixes: ['k_live_'] } });
        return requestWith(bench, 'k_test_1234567890abcdef');
      },
    },
    {
      symptom: '401 `KEY_REVOKED`',
      cause: 'the key was revoked',
      prints: [
        inDoctor('the key was revoked', `Create a new key in ${KEYS_MENU} > Add API key`),
        inAnswer('API key has been revoked', 'Create a new API key and send that one'),
      ],
      bring: async (start) => {
        const bench = await start();
        const { key, keyId } = bench.emulator.createKey();
        bench.emulator.revokeKey(keyId);
        return requestWith(bench, key);
      },
    },
    {
      symptom: '401 `KEY_INACTIVE`',
      cause: 'the key is not active',
      prints: [
        inDoctor('the key is not active', `Activate it, or create a new key, in ${KEYS_MENU}`),
        inAnswer('API key is not active', 'Activate the key where you manage your API keys'),
      ],
      bring: async (start) => {
        const bench = await start();
        return requestWith(bench, bench.emulator.createKey({ status: 'inactive' }).key);
      },
    },
  ],

  'Access tokens and the exchange of keys': [
    {
      symptom: '401 `TOKEN_EXPIRED`',
      cause: 'the access token has expired',
      prints: [inAnswer('Access token has expired', 'Request a new access token, and renew it before it expires')],
      bring: async (start) => {
        const bench = await start({ options: ACCESS_TOKENS });
        const token = bench.emulator.issueToken({ userId: 'kp_1', audience: AUDIENCE });
        bench.scenario.clock.advance(25 * 3_600_000);
        return { answer: textOf(await bench.get('/any', token)) };
      },
    },
    {
      symptom: '401 `TOKEN_EXPIRED` for new tokens',
      cause: 'the clock of this machine is wrong',
      prints: [inDoctor('s ahead of that of Kinde', 'Synchronize the clock of this machine (NTP)')],
      bring: async (start) => {
        const bench = await start({ options: ACCESS_TOKENS, emulator: { clock: new TestClock() } });
        bench.scenario.clock.advance(25 * 3_600_000); // Kinde's clock stays behind
        const token = bench.emulator.issueToken({ userId: 'kp_1', audience: AUDIENCE });
        return { answer: textOf(await bench.get('/any', token)), doctor: await bench.doctor() };
      },
    },
    {
      symptom: '401 `INVALID_TOKEN`',
      cause: 'the access token is for another audience, or of another environment',
      prints: [inAnswer('Invalid access token', 'Log in again, or request an access token whose audience is this API')],
      bring: async (start) => {
        const bench = await start({ options: ACCESS_TOKENS });
        const token = bench.emulator.issueToken({ userId: 'kp_1', audience: 'https://other.example.com' });
        return { answer: textOf(await bench.get('/any', token)) };
      },
    },
    {
      symptom: '`tokenFor()` throws `INVALID_CLIENT`',
      cause: 'the API key is wrong, rotated, revoked or not active',
      prints: [
        inError(
          'Kinde does not know the API key (invalid_client)',
          'Check it in Kinde > (the organization or user) > API keys',
        ),
      ],
      bring: async (start) => {
        const bench = await start();
        const { key, keyId } = bench.emulator.createKey();
        bench.emulator.revokeKey(keyId);
        return exchangeError(bench, key);
      },
    },
    {
      symptom: '`tokenFor()` throws `UNAUTHORIZED_CLIENT`',
      cause: 'keys of this API may not be exchanged',
      prints: [
        inError(
          'The API key may not be exchanged for a token (unauthorized_client)',
          'Check in Kinde > Settings > APIs which API it belongs to',
        ),
      ],
      bring: async (start) => {
        const bench = await start();
        bench.emulator.failNext({ tokenError: 'unauthorized_client' }, 'token');
        return exchangeError(bench, bench.emulator.createKey().key);
      },
    },
    {
      symptom: '`tokenFor()` throws `INVALID_REQUEST`',
      cause: 'the Kinde environment does not offer the exchange of keys',
      prints: [
        inError(
          'Kinde does not understand the exchange (invalid_request)',
          'Since May 2026 its pages show the client credentials of an M2M application instead of an API key: your Kinde environment may not offer the exchange',
        ),
      ],
      bring: async (start) => {
        const bench = await start();
        bench.emulator.failNext({ tokenError: 'invalid_request' }, 'token');
        return exchangeError(bench, bench.emulator.createKey().key);
      },
    },
  ],

  'Wrong format or header': [
    {
      symptom: '401 `WRONG_CREDENTIAL_TYPE`',
      cause: 'an access token (JWT) is sent where API keys alone are accepted',
      prints: [
        inAnswer('An API key is expected here, not an access token (JWT)', `Send an API key in ${KEY_HEADER}`),
        inDoctor('this is an access token (JWT)', 'Send the API key itself'),
      ],
      bring: async (start) => {
        const bench = await start();
        return requestWith(bench, bench.emulator.issueToken({ userId: 'kp_1' }));
      },
    },
    {
      symptom: '400 `MALFORMED_REQUEST`',
      cause: 'two headers carry a key',
      prints: [
        inAnswer(
          'Two credentials, in the headers "authorization" and "x-api-key"',
          `Send one API key in ${KEY_HEADER} or "x-api-key: <API key>", once`,
        ),
      ],
      bring: async (start) => {
        const credentials = [{ header: 'authorization', scheme: 'Bearer' }, { header: 'x-api-key' }];
        const bench = await start({ options: { credentials } });
        const { key } = bench.emulator.createKey();
        return { answer: textOf(await bench.get('/any', key, { headers: { 'x-api-key': key } })) };
      },
    },
    {
      symptom: '403 `ORG_MISMATCH` for `@OrgScoped({ body })`',
      cause: 'the `Content-Type` is missing or wrong, so that the body is not parsed',
      prints: [
        inLog(
          'the body is not parsed yet, so its field "orgCode" is absent',
          'Read the organization from the path, a header or a resolver instead',
        ),
      ],
      bring: async (start) => {
        const bench = await start();
        const { key } = bench.emulator.createKey({ orgCode: 'org_a' });
        const sending = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"orgCode":"org_a"}' };
        return { answer: textOf(await bench.get('/reports', key, sending)), log: bench.log };
      },
    },
    {
      symptom: '403 `ORG_MISMATCH` for `@OrgScoped({ header })`',
      cause: 'the header with the organization does not arrive',
      prints: [inLog('the header "X-Org" is absent', 'the client did not send it, or a proxy drops it')],
      bring: async (start) => {
        const bench = await start();
        const { key } = bench.emulator.createKey({ orgCode: 'org_a' });
        return { answer: textOf(await bench.get('/header', key)), log: bench.log };
      },
    },
  ],

  'The M2M application is refused: 503': [
    misconfigured(
      'the client id or client secret is wrong, the secret was rotated, or the application was deleted',
      NO_CLIENT,
      { clientSecret: 'rotated-in-kinde' },
    ),
    {
      symptom: '503 `VERIFICATION_MISCONFIGURED`',
      cause: 'the domain is the one of another Kinde environment',
      prints: [inDoctor(...NO_CLIENT), inLog(...NO_CLIENT)],
      bring: async (start) => {
        await using other = await KindeEmulator.start();
        return await requestTo(start, { domain: other.domain });
      },
    },
    misconfigured(
      'the application is not authorized for the Kinde Management API',
      [
        'The M2M application may not use the Kinde Management API (unauthorized_client)',
        `Authorize the Kinde Management API in ${M2M_MENU} > APIs`,
      ],
      { audiences: [] },
    ),
    misconfigured(
      'a scope is refused to the application',
      [
        'The M2M application was refused a scope (invalid_scope)',
        `Grant read:api_keys in ${M2M_MENU} > APIs > Kinde Management API > Manage scopes`,
      ],
      { tokenError: 'invalid_scope' },
    ),
    misconfigured(
      'the request for a token is not understood: wrong `audience` or `domain`, or a proxy that changes the content type',
      [
        'Kinde does not understand the request for an M2M token (invalid_request)',
        "Check that 'domain' is the .kinde.com domain and that 'audience' is the one of the Kinde Management API in Kinde > Settings > APIs",
      ],
      { tokenError: 'invalid_request' },
    ),
    misconfigured(
      'the application lacks the scope `read:api_keys`',
      [
        'The M2M token lacks the scope read:api_keys',
        `Grant it in ${M2M_MENU} > APIs > Kinde Management API > Manage scopes`,
      ],
      { scopes: ['read:apis'] },
    ),
    misconfigured(
      'the token is for another audience',
      [
        'The M2M token is not for the Kinde Management API: its audience is another one',
        `Authorize the Kinde Management API in ${M2M_MENU} > APIs`,
      ],
      { issuedAudience: ['https://other.example'] },
    ),
    {
      symptom: '503 `VERIFICATION_UNAVAILABLE`',
      cause: 'Kinde rejects every token that it issues to the application',
      prints: [
        inDoctor(
          'Kinde answered 401 to verify, and rejects the M2M token',
          `Grant it in ${M2M_MENU} > APIs > Kinde Management API > Manage scopes`,
        ),
        inLog('Kinde rejects the M2M token', `Check that the application is authorized in ${M2M_MENU} > APIs`),
      ],
      bring: async (start) => {
        const bench = await start();
        for (const endpoint of ['verify', 'keys'] as const) bench.emulator.failUntilCleared(401, endpoint);
        return goodKey(bench);
      },
    },
  ],

  'Scopes are missing: 403': [
    {
      symptom: '403 `INSUFFICIENT_SCOPE`',
      cause: 'the key lacks a scope that the route requires',
      prints: [
        inDoctor(
          'ReportsController.users (lacks read:users)',
          `For another owner or other scopes, create a key in ${KEYS_MENU} > Add API key`,
        ),
        inAnswer('Insufficient scope', 'Create a new key with the scopes that this answer lists'),
      ],
      bring: async (start) => {
        const bench = await start();
        const { key } = bench.emulator.createKey({ scopes: ['write:users'], orgCode: 'org_a' });
        return requestWith(bench, key, '/orgs/org_a/users');
      },
    },
    {
      symptom: '403 `INSUFFICIENT_SCOPE` for every key',
      cause: 'a decorator misspells a scope',
      prints: [
        inDoctor(
          "ExportsController.find requires 'read:user', which is not registered; did you mean 'read:users'?",
          'Correct the decorator, or add the scope in Kinde > Settings > APIs > (the API) > Scopes',
        ),
      ],
      bring: async (start) => {
        const bench = await start({ controllers: [controllerRequiring('read:user')] });
        return requestWith(bench, bench.emulator.createKey({ scopes: ['read:users'] }).key, '/scoped');
      },
    },
    {
      symptom: '403 `INSUFFICIENT_SCOPE` for every key',
      cause: 'a decorator requires a scope that is not registered in Kinde',
      prints: [
        inDoctor(
          "ExportsController.find requires 'export:invoices', which is not registered",
          'Correct the decorator, or add the scope in Kinde > Settings > APIs > (the API) > Scopes',
        ),
      ],
      bring: async (start) => {
        const bench = await start({ controllers: [controllerRequiring('export:invoices')] });
        return requestWith(bench, bench.emulator.createKey({ scopes: ['read:users'] }).key, '/scoped');
      },
    },
  ],

  'Organization and user: 403': [
    {
      symptom: '403 `ORG_MISMATCH`',
      cause: 'the key belongs to another organization than the request is about',
      prints: [
        inDoctor(
          'active, of the organization org_b',
          `For another owner or other scopes, create a key in ${KEYS_MENU} > Add API key`,
        ),
        inAnswer(
          'Access denied: organization mismatch',
          'Send an API key of the organization that the request is about',
        ),
      ],
      bring: async (start) => {
        const bench = await start();
        const { key } = bench.emulator.createKey({ scopes: ['read:users'], orgCode: 'org_b' });
        return requestWith(bench, key, '/orgs/org_a/users');
      },
    },
    {
      symptom: '403 `ORG_REQUIRED`',
      cause: 'the key of a user is sent to a route of an organization',
      prints: [
        inDoctor(
          'active, of the user kp_1',
          `For another owner or other scopes, create a key in ${KEYS_MENU} > Add API key`,
        ),
        inAnswer('Organization-scoped API key required', 'Send an API key that was created for an organization'),
      ],
      bring: async (start) => {
        const bench = await start();
        const { key } = bench.emulator.createKey({ scopes: ['read:users'], userId: 'kp_1' });
        return requestWith(bench, key, '/orgs/org_a/users');
      },
    },
    {
      symptom: '403 `ORG_REQUIRED`',
      cause: 'the key belongs to the whole environment, and to no organization',
      prints: [
        inDoctor(
          'ReportsController.users (has no organization)',
          `For another owner or other scopes, create a key in ${KEYS_MENU} > Add API key`,
        ),
        inAnswer('Organization-scoped API key required', 'Send an API key that was created for an organization'),
      ],
      bring: async (start) => {
        const bench = await start();
        return requestWith(bench, bench.emulator.createKey({ scopes: ['read:users'] }).key, '/orgs/org_a/users');
      },
    },
    {
      symptom: '403 `USER_REQUIRED`',
      cause: 'the key of an organization is sent to a route of a user',
      prints: [
        inDoctor(
          'ReportsController.mine (has no user)',
          `For another owner or other scopes, create a key in ${KEYS_MENU} > Add API key`,
        ),
        inAnswer('User-scoped API key required', 'Send an API key that was created for a user'),
      ],
      bring: async (start) => {
        const bench = await start();
        return requestWith(bench, bench.emulator.createKey({ orgCode: 'org_a' }).key, '/mine');
      },
    },
  ],

  'Too many requests: 429': [
    {
      symptom: '429 `RATE_LIMITED`',
      cause: 'the key is over the limit of this API',
      prints: [inAnswer('Rate limit exceeded', WAIT)],
      bring: async (start) => {
        const bench = await start({ options: { rateLimit: { limit: 1, windowMs: 60_000 } } });
        const { key } = bench.emulator.createKey();
        await bench.get('/any', key);
        return { answer: textOf(await bench.get('/any', key)) };
      },
    },
    {
      symptom: '429 `TOO_MANY_FAILED_ATTEMPTS`',
      cause: 'the network of the client sent too many bad keys',
      prints: [
        inAnswer('Too many failed attempts', 'Do not repeat requests with keys that were refused: each of them counts'),
      ],
      bring: async (start) => {
        const bench = await start({ options: { failedAttempts: { limit: 1, windowMs: 60_000 } } });
        await bench.get('/any', UNKNOWN_KEY);
        return { answer: textOf(await bench.get('/any', `${UNKNOWN_KEY}1`)) };
      },
    },
    unreachable(
      'Kinde limits the calls of this environment',
      ['Kinde answers 429, and asks to wait 17 s', 'Look for a flood of unknown keys, and lower kinde.maxPerSecond'],
      ['Kinde asks this service to slow down (429)', 'lower kinde.maxPerSecond'],
      async (start) => {
        const bench = await start();
        bench.emulator.failUntilCleared({ status: 429, rateLimitReset: 17 }, 'verify');
        return goodKey(bench);
      },
    ),
  ],

  'Scopes are not available': [
    {
      symptom: '`create()` throws `INVALID_INPUT`',
      cause: 'a scope of the new key is not registered for the API',
      prints: [inError('scopes[0] is not a scope of the API', 'See Kinde > Settings > APIs > (the API) > Scopes')],
      bring: async (start) => creationError(await start(), ['export:everything']),
    },
    {
      symptom: '`create()` throws `PERMISSION_MISSING`',
      cause: 'the M2M application may not read scopes or create keys',
      prints: [
        inError(
          'The M2M application lacks the scope create:api_keys',
          `Grant it in ${M2M_MENU} > APIs > Kinde Management API > Manage scopes`,
        ),
      ],
      bring: async (start) => creationError(await start({ emulator: { scopes: ['read:api_keys', 'read:apis'] } }), []),
    },
    {
      symptom: '`tokenFor()` throws `INVALID_SCOPE`',
      cause: 'a requested scope does not exist, or the key does not have it',
      prints: [
        inError(
          'A scope does not exist or was not granted to the API key (invalid_scope)',
          'Compare its name with Kinde > Settings > APIs > Scopes',
        ),
      ],
      bring: async (start) => {
        const bench = await start();
        return exchangeError(bench, bench.emulator.createKey({ scopes: ['read:users'] }).key, 'export:everything');
      },
    },
    {
      symptom: 'the doctor does not compare scopes',
      cause: 'the M2M application may not list the APIs',
      prints: [
        inDoctor(
          'the token may not list the registered APIs (read:apis)',
          `Grant read:apis in ${M2M_MENU} > APIs > Kinde Management API > Manage scopes`,
        ),
      ],
      bring: async (start) => ({ doctor: await (await start({ emulator: { scopes: ['read:api_keys'] } })).doctor() }),
    },
  ],

  'Kinde is not reached: 503': [
    unreachable(
      'the domain is misspelled, or DNS does not resolve it',
      [
        'no-such-domain.kinde.com cannot be resolved (ENOTFOUND)',
        `Compare KINDE_DOMAIN with the domain in ${DOMAIN_MENU}`,
      ],
      ['ENOTFOUND: the host name cannot be resolved', 'Check domain and DNS'],
      (start) =>
        requestTo(start, { domain: 'no-such-domain', kinde: { retries: 0, http: { httpsAgent: UNRESOLVED } } }),
    ),
    unreachable(
      'a proxy opens TLS, or the certificate is not trusted for another reason',
      ['DEPTH_ZERO_SELF_SIGNED_CERT: the certificate is not trusted', 'set NODE_EXTRA_CA_CERTS to its CA'],
      ['DEPTH_ZERO_SELF_SIGNED_CERT: the certificate is not trusted', 'set NODE_EXTRA_CA_CERTS to its CA'],
      withCertificate,
    ),
    unreachable(
      'this machine may not connect to Kinde',
      ['the connection to Kinde failed (ECONNREFUSED)', 'Allow this machine to reach the host on port 443'],
      ['the connection to Kinde failed (ECONNREFUSED)', 'whether this machine reaches Kinde on port 443'],
      async (start) => {
        const bench = await start();
        const { key } = bench.emulator.createKey();
        await bench.emulator.stop();
        return { answer: textOf(await bench.get('/any', key)), doctor: await bench.doctor(), log: bench.log };
      },
    ),
    unreachable(
      'a firewall, a CDN or a rule by country answers in place of Kinde',
      [
        'Something else answers in place of Kinde: a proxy, a firewall, a login page',
        `Compare KINDE_DOMAIN with the domain in ${DOMAIN_MENU}, and let the calls of this machine through to Kinde`,
      ],
      ['Kinde cannot verify API keys: Kinde answered with status 403', "check 'domain', Kinde's status"],
      failing(BLOCK_PAGE(403)),
    ),
    unreachable(
      'the firewall blocks only the call that verifies keys',
      ["status 403 without an error in Kinde's format", "Check 'domain', what is between this machine and Kinde"],
      [
        "status 403 without an error in Kinde's format: a firewall, a proxy or another server answered",
        "check 'domain' and what is between this service and Kinde",
      ],
      async (start) => {
        const bench = await start();
        bench.emulator.failUntilCleared(BLOCK_PAGE(403), 'verify');
        return goodKey(bench);
      },
    ),
    unreachable(
      'another server answers at the domain, or a login page of the network',
      ['answered with status 200, and not as Kinde does', `Compare KINDE_DOMAIN with the domain in ${DOMAIN_MENU}`],
      ['its content type is not JSON', "check 'domain'"],
      failing(BLOCK_PAGE(200)),
    ),
    unreachable(
      'Kinde has an outage',
      ['Kinde answered with status 500', "Kinde's status"],
      ['Kinde answered with status 500', "Kinde's status"],
      async (start) => {
        const bench = await start({ options: { kinde: { retries: 0 } } });
        bench.emulator.failUntilCleared(500, 'verify');
        return goodKey(bench);
      },
    ),
  ],
};

async function creationError(bench: SymptomBench, scopes: string[]): Promise<Evidence> {
  const input = { name: 'A key', scopes, owner: { orgCode: 'org_a' } };
  return { error: await bench.errorOf((app) => app.get(ApiKeysService).create(input)) };
}

function onlyOneOf(texts: readonly string[]): string {
  const [first, ...others] = new Set(texts);
  if (first === undefined || others.length > 0)
    throw new Error(`expected the same answer each time: ${texts.join('\n')}`);
  return first;
}

const SOURCES: Readonly<Record<Source, string>> = {
  answer: 'the answer',
  doctor: '[the doctor](doctor.md)',
  log: 'the log',
  error: 'the error',
};

/** The symptoms as the page shows them. */
export function symptomsMarkdown(): string {
  return Object.entries(SYMPTOMS)
    .map(([heading, symptoms]) => [`### ${heading}`, '', ...tableOf(symptoms)].join('\n'))
    .join('\n\n');
}

function tableOf(symptoms: readonly Symptom[]): string[] {
  const rows = symptoms.map(({ symptom, cause, prints: [[from, says, cure]] }) => {
    // Markdown would read a tag.
    return `| ${[symptom, cause, `${SOURCES[from]}: \`${says}\``, cure.replaceAll('<', '\\<')].join(' | ')} |`;
  });
  return ['| symptom | cause | what says so | cure |', '| --- | --- | --- | --- |', ...rows];
}
