import { inspect } from 'node:util';
import { newVerifier } from '../../../../test/support/key-verifier.js';
import { KindeEmulator, TestClock, type KindeEmulatorFault } from '../testing/index.js';
import { AxiosKindeHttp, unsharedHttpService } from './axios-http.js';

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

/** A value as `util.inspect`, JSON and string conversion show it. */
const visible = (value: unknown) =>
  `${inspect(value, { depth: Infinity, showHidden: true, getters: true, maxStringLength: null })} ${JSON.stringify(value)} ${String(value)}`;

describe('KeyVerifier', () => {
  it.each(
    FAULTS.flatMap(([name, fault]) => (['verify', 'token'] as const).map((where) => [name, where, fault] as const)),
  )(
    'shows no key, client secret or token after %s on %s, in errors, their causes, the log and its own properties',
    async (_name, where, fault) => {
      const http = new AxiosKindeHttp(unsharedHttpService());
      const { verifier, verify, lines } = newVerifier(kinde, clock, {
        http,
        timeoutMs: 400,
        retries: 1,
        maxConcurrent: 2,
      });
      kinde.failUntilCleared(fault, where);
      const outcomes = await Promise.all(Array.from({ length: 4 }, () => verify(KEY).catch((error: unknown) => error)));
      const seen = [outcomes, lines, verifier, http].map(visible).join('\n');
      verifier.close();
      // The token is a JWT, and nothing else looks like one.
      expect([KEY, CLIENT_SECRET, 'eyJ', 'Bearer '].filter((secret) => seen.includes(secret))).toEqual([]);
    },
  );

  it('shows no key, client secret or token while it holds a token and a call is in flight', async () => {
    const http = new AxiosKindeHttp(unsharedHttpService());
    const { verifier, verify } = newVerifier(kinde, clock, { http });
    const answer = await verify(KEY);
    expect(answer.verdict.accepted).toBe(true);
    const inFlight = verify(KEY);
    const seen = [verifier, http, answer, inFlight].map(visible).join('\n');
    await inFlight;
    verifier.close();
    expect([KEY, CLIENT_SECRET, 'eyJ', 'Bearer '].filter((secret) => seen.includes(secret))).toEqual([]);
  });
});
