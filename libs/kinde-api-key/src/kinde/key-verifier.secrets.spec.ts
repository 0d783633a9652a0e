import { inspect } from 'node:util';
import { HttpService } from '@nestjs/axios';
import axios from 'axios';
import { KindeEmulator, TestClock, type KindeEmulatorFault } from '../testing/index.js';
import { AxiosKindeHttp } from './axios-http.js';
import { KeyVerifier } from './key-verifier.js';

const KEY = 'k_live_canary0123456789';
const CLIENT_SECRET = 'canary-client-secret';
const clock = new TestClock();
let kinde: KindeEmulator;

beforeAll(async () => {
  kinde = await KindeEmulator.start({ clock, credentials: { clientId: 'client', clientSecret: CLIENT_SECRET } });
  kinde.createKey({ key: KEY });
});
afterAll(() => kinde.stop());
afterEach(() => kinde.clearFaults());

const JSON_TYPE = { 'content-type': 'application/json' };
const FAULTS: readonly [string, KindeEmulatorFault][] = [
  ...[200, 302, 400, 401, 403, 404, 422, 429, 500, 503].map((status): [string, KindeEmulatorFault] => [
    `${status} with an echo of the request`,
    { status, echo: true, headers: JSON_TYPE },
  ]),
  ['a reset', { reset: true }],
  ['a body cut short', { truncated: true }],
  ['an endless body', { endless: true }],
  ['broken JSON', { malformed: true }],
  ['a hang', { hang: true }],
  [
    'the key as an OAuth error',
    { status: 401, headers: JSON_TYPE, body: { error: KEY, error_description: CLIENT_SECRET } },
  ],
  [
    'invalid_client with the secret in its description',
    { status: 401, headers: JSON_TYPE, body: { error: 'invalid_client', error_description: CLIENT_SECRET } },
  ],
];

/** What the world can see of a value. */
const visible = (value: unknown) =>
  `${inspect(value, { depth: Infinity, showHidden: true, getters: true, maxStringLength: null })} ${JSON.stringify(value)} ${String(value)}`;

describe('KeyVerifier', () => {
  it.each(
    FAULTS.flatMap(([name, fault]) => (['verify', 'token'] as const).map((where) => [name, where, fault] as const)),
  )(
    'shows no key, client secret or token after %s on %s: not in the error, its causes, the log or itself',
    async (_name, where, fault) => {
      const lines: string[] = [];
      const write = (line: string) => void lines.push(line);
      const http = new AxiosKindeHttp(new HttpService(axios.create()));
      const client = new KeyVerifier(
        http,
        {
          origin: kinde.domain,
          ...kinde.credentials,
          audience: `${kinde.domain}/api`,
          apiId: null,
          timeoutMs: 400,
          retries: 1,
          maxConcurrent: 2,
          maxPerSecond: 1_000,
          maxQueued: 10,
        },
        clock,
        { debug: write, warn: write, error: write },
      );
      kinde.failUntilCleared(fault, where);
      const outcomes = await Promise.all(
        Array.from({ length: 4 }, () => client.verifyKey(KEY, 'new').catch((error: unknown) => error)),
      );
      const seen = [outcomes, lines, client, http].map(visible).join('\n');
      client.close();
      // The token is a JWT, and nothing else that can be seen looks like one.
      expect([KEY, CLIENT_SECRET, 'eyJ', 'Bearer '].filter((secret) => seen.includes(secret))).toEqual([]);
    },
  );

  it('shows no key, client secret or token while all is well and a token is held', async () => {
    const http = new AxiosKindeHttp(new HttpService(axios.create()));
    const options = { origin: kinde.domain, ...kinde.credentials, audience: `${kinde.domain}/api`, apiId: null };
    const limits = { timeoutMs: 2_000, retries: 1, maxConcurrent: 2, maxPerSecond: 1_000, maxQueued: 10 };
    const client = new KeyVerifier(http, { ...options, ...limits }, clock, console);
    const answer = await client.verifyKey(KEY, 'new');
    expect(answer.verdict.accepted).toBe(true);
    const underWay = client.verifyKey(KEY, 'new');
    const seen = [client, http, answer, underWay].map(visible).join('\n');
    await underWay;
    client.close();
    expect([KEY, CLIENT_SECRET, 'eyJ', 'Bearer '].filter((secret) => seen.includes(secret))).toEqual([]);
  });
});
