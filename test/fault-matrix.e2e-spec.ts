import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiKeyGuard } from 'nestjs-kinde-api-key';
import { type KindeEmulator, type KindeEmulatorFault, TestClock } from 'nestjs-kinde-api-key/testing';
import { AxiosKindeHttp, unsharedHttpService } from '../libs/kinde-api-key/src/kinde/axios-http.js';
import { KeyVerifier } from '../libs/kinde-api-key/src/kinde/key-verifier.js';
import { ApiKeyVerificationService } from '../libs/kinde-api-key/src/verification/api-key-verification.service.js';
import type { Answer } from './support/http.js';
import { newLog, rawKey, unknownKey } from './support/key-verifier.js';
import { ADAPTERS, startScenario, type Adapter, type Scenario } from './support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const TIMEOUT_MS = 500;
const TTL_MS = 60_000;
const MAX_ACCEPTED_AGE_MS = 300_000;
/** Shorter than the age of an entry in every state but the first, so that the token endpoint is needed during its fault. */
const TOKEN_LIFETIME_SECONDS = 30;
const JSON_TYPE = { 'content-type': 'application/json' };
const HTML = '<!doctype html><title>Maintenance</title>';
const ACCEPTED = {
  is_valid: true,
  status: 'active',
  key_id: 'api_key_forged',
  scopes: [],
  org_code: null,
  user_id: null,
};

type Break = (emulator: KindeEmulator, trapUrl: string) => unknown;
const STOPPED = 'emulator stopped';
/** The answer while the fault lasts: an outage, or that our own credentials are rejected. */
type Outcome = 'outage' | 'misconfigured';

const verify =
  (fault: KindeEmulatorFault): Break =>
  (emulator) =>
    emulator.failUntilCleared(fault, 'verify');
const token =
  (fault: KindeEmulatorFault): Break =>
  (emulator) =>
    emulator.failUntilCleared(fault, 'token');
/** An accepted answer with one change. */
const almost = (change: object): Break => verify({ status: 200, headers: JSON_TYPE, body: { ...ACCEPTED, ...change } });

const FAULTS: readonly [title: string, outcome: Outcome, break_: Break][] = [
  ['500', 'outage', verify(500)],
  ['502', 'outage', verify(502)],
  ['503', 'outage', verify(503)],
  ['504', 'outage', verify(504)],
  ['429 with RateLimit-Reset', 'outage', verify({ status: 429, rateLimitReset: 17 })],
  ['429 with Retry-After', 'outage', verify({ status: 429, headers: { 'retry-after': '17' } })],
  ['connection reset', 'outage', verify({ reset: true })],
  ['hang', 'outage', verify({ hang: true })],
  ['right answer after the deadline', 'outage', verify({ delayMs: 20 * TIMEOUT_MS })],
  ['right answer byte by byte', 'outage', verify({ trickleMs: TIMEOUT_MS })],
  ['malformed JSON', 'outage', verify({ malformed: true })],
  ['body cut short', 'outage', verify({ truncated: true })],
  ['50 MB body', 'outage', verify({ huge: 50_000_000 })],
  ['50 MB body, declared', 'outage', verify({ huge: 50_000_000, declared: true })],
  ['endless body', 'outage', verify({ endless: true })],
  [
    'redirect to another host',
    'outage',
    (emulator, trapUrl) => emulator.failUntilCleared({ redirect: trapUrl, status: 307 }),
  ],
  ['HTML with status 200', 'outage', verify({ status: 200, headers: { 'content-type': 'text/html' }, body: HTML })],
  ['HTML with the content type of JSON', 'outage', verify({ status: 200, headers: JSON_TYPE, body: HTML })],
  [
    'acceptance as text/plain',
    'outage',
    verify({ status: 200, headers: { 'content-type': 'text/plain' }, body: ACCEPTED }),
  ],
  ['acceptance with status 201', 'outage', verify({ status: 201, headers: JSON_TYPE, body: ACCEPTED })],
  ['is_valid "true"', 'outage', almost({ is_valid: 'true' })],
  ['is_valid 1', 'outage', almost({ is_valid: 1 })],
  ['no is_valid', 'outage', almost({ is_valid: undefined })],
  ['scopes a string', 'outage', almost({ scopes: 'read:users' })],
  ['scopes an object', 'outage', almost({ scopes: {} })],
  ['key_id a number', 'outage', almost({ key_id: 7 })],
  ['org_code an array', 'outage', almost({ org_code: ['org_a'] })],
  ['user_id an object', 'outage', almost({ user_id: {} })],
  ['acceptance in an array', 'outage', verify({ status: 200, headers: JSON_TYPE, body: [ACCEPTED] })],
  ['empty body', 'outage', verify({ status: 200, headers: JSON_TYPE, body: '' })],
  ['token endpoint 500', 'outage', token(500)],
  ['token endpoint resets', 'outage', token({ reset: true })],
  ['token endpoint hangs', 'outage', token({ hang: true })],
  ['token endpoint throttles', 'outage', token({ status: 429, rateLimitReset: 17 })],
  ['token endpoint answers HTML', 'outage', token({ status: 200, headers: JSON_TYPE, body: HTML })],
  ['invalid_client', 'misconfigured', token({ tokenError: 'invalid_client' })],
  ['unauthorized_client', 'misconfigured', token({ tokenError: 'unauthorized_client' })],
  ['invalid_scope', 'misconfigured', token({ tokenError: 'invalid_scope' })],
  ['invalid_request', 'misconfigured', token({ tokenError: 'invalid_request' })],
  [STOPPED, 'outage', (emulator) => emulator.stop()],
];

const STATES = ['cached, fresh', 'new, meanwhile', 'cached, stale', 'new, later', 'cached, too old'] as const;
type State = (typeof STATES)[number];

const CODES: Readonly<Record<Outcome, string>> = {
  outage: '503 VERIFICATION_UNAVAILABLE',
  misconfigured: '503 VERIFICATION_MISCONFIGURED',
};

/** Stale answers are for outages alone: rejected credentials do not heal by waiting. */
function expected(outcome: Outcome): Record<State, string> {
  const refused = CODES[outcome];
  return {
    'cached, fresh': '200',
    'new, meanwhile': refused,
    'cached, stale': outcome === 'outage' ? '200' : refused,
    'new, later': refused,
    'cached, too old': refused,
  };
}

const shortOf = ({ status, body }: Answer) =>
  status === 200 ? '200' : `${status} ${(body as { code?: string }).code ?? 'no code'}`;

/** A server that counts followed redirects. */
async function startTrap(): Promise<{ server: Server; url: string; followed: () => number }> {
  let followed = 0;
  const server = createServer((_request, response) => {
    followed += 1;
    response.writeHead(200, JSON_TYPE).end(JSON.stringify(ACCEPTED));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://localhost:${(server.address() as AddressInfo).port}/`, followed: () => followed };
}

interface Row {
  readonly answers: Record<State, string>;
  /** Whether every key of the row is accepted after the fault: an outage is never cached as a refusal. */
  readonly recovered: boolean;
}

/** Retries as clients do: the last probe of the circuit may still be in flight. */
async function recovers({ get, clock }: Scenario, keys: readonly string[]): Promise<boolean> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    clock.advance(61_000);
    const statuses = await Promise.all(keys.map(async (key) => (await get('/', key)).status));
    if (statuses.every((status) => status === 200)) return true;
    if (statuses.includes(401)) return false;
  }
  return false;
}

describe('the fault matrix', () => {
  const rows: { fault: string; adapter: Adapter; row: Row }[] = [];
  const scenarios = {} as Record<Adapter, Scenario>;
  let trap: Awaited<ReturnType<typeof startTrap>>;

  beforeAll(async () => {
    trap = await startTrap();
    for (const adapter of ADAPTERS) {
      scenarios[adapter] = await startScenario({
        adapter,
        controllers: [AnyController],
        options: { kinde: { timeoutMs: TIMEOUT_MS, retries: 1 } },
        emulator: { tokenLifetimeSeconds: TOKEN_LIFETIME_SECONDS },
      });
    }
  });
  afterAll(async () => {
    for (const adapter of ADAPTERS) await scenarios[adapter].close();
    trap.server.close();
    // oxlint-disable-next-line no-console -- the matrix is for readers of the log
    console.log(tableOf(rows));
  });

  /** One row of the matrix. Jest fails a test that leaves a rejection unhandled. */
  async function drive(scenario: Scenario, break_: Break): Promise<Row> {
    const { emulator, clock } = scenario;
    const ask = async (key: string): Promise<string> => shortOf(await scenario.get('/', key));
    const [fresh, stale, firstNew, secondNew] = Array.from({ length: 4 }, () => emulator.createKey().key) as [
      string,
      string,
      string,
      string,
    ];
    expect([await ask(fresh), await ask(stale)]).toEqual(['200', '200']);
    const verifiedAtMs = clock.now();
    await break_(emulator, trap.url);
    clock.set(verifiedAtMs + TTL_MS - 10_000);
    const [cachedFresh, newMeanwhile] = await Promise.all([ask(fresh), ask(firstNew)]);
    clock.set(verifiedAtMs + TTL_MS + 1_000);
    const [cachedStale, newLater] = await Promise.all([ask(stale), ask(secondNew)]);
    clock.set(verifiedAtMs + MAX_ACCEPTED_AGE_MS - 1);
    const lastMoment = await ask(fresh);
    expect(lastMoment).toBe(cachedStale);
    clock.set(verifiedAtMs + MAX_ACCEPTED_AGE_MS);
    const tooOld = await Promise.all([ask(fresh), ask(stale)]);
    expect(new Set(tooOld).size).toBe(1);
    emulator.clearFaults();
    return {
      recovered: await recovers(scenario, [fresh, stale, firstNew, secondNew]),
      answers: {
        'cached, fresh': cachedFresh,
        'new, meanwhile': newMeanwhile,
        'cached, stale': cachedStale,
        'new, later': newLater,
        'cached, too old': tooOld[0] ?? '',
      },
    };
  }

  it.each(FAULTS)(
    '%s: accepts cached keys until maxAcceptedAgeMs, accepts nothing else, and refuses no key',
    async (fault, outcome, break_) => {
      const driven = await Promise.all(ADAPTERS.map((adapter) => drive(scenarios[adapter], break_)));
      for (const [index, row] of driven.entries()) rows.push({ fault, adapter: ADAPTERS[index] ?? 'express', row });
      for (const { answers, recovered } of driven) {
        expect(answers).toEqual(expected(outcome));
        expect(recovered).toBe(fault !== STOPPED);
      }
    },
  );

  it('followed no redirect', () => {
    expect(trap.followed()).toBe(0);
  });

  it('has no cell with a key that was wrongly accepted or wrongly refused', () => {
    const cells = rows.flatMap(({ row }) => Object.entries(row.answers) as [State, string][]);
    expect(cells).toHaveLength(FAULTS.length * ADAPTERS.length * STATES.length);
    expect(cells.filter(([, answer]) => answer.startsWith('401'))).toEqual([]);
    expect(cells.filter(([state, answer]) => answer === '200' && !state.startsWith('cached'))).toEqual([]);
    expect(cells.filter(([state, answer]) => answer === '200' && state === 'cached, too old')).toEqual([]);
  });
});

function tableOf(rows: readonly { fault: string; adapter: Adapter; row: Row }[]): string {
  const header = ['fault', 'adapter', ...STATES];
  const lines = rows.map(({ fault, adapter, row }) => [
    fault,
    adapter,
    ...STATES.map((state) => row.answers[state].replace('VERIFICATION_', '')),
  ]);
  const widths = header.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const written = [header, ...lines].map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return written.join('\n');
}

/** Bodies of every status, with their content type. Kinde's own is a verification for 200 and an error for the others. */
const BODIES: Readonly<Record<string, (status: number) => readonly [type: string, body: string]>> = {
  "Kinde's": (status) => ['application/json', status === 200 ? JSON.stringify(ACCEPTED) : kindeError(status)],
  HTML: () => ['text/html', HTML],
  empty: () => ['application/json', ''],
  'other JSON': () => ['application/json', '{"message":"Forbidden"}'],
};
const KEYS = ['known', 'new'] as const;

function kindeError(status: number): string {
  const error = { code: 'EMULATED', message: 'An error of Kinde' };
  return JSON.stringify({ errors: status === 404 ? error : [error] });
}

/** What may follow from an answer: Kinde's own refusals refuse, a verification accepts, and everything else is an outage. */
function outcomesOf(status: number, body: string, key: (typeof KEYS)[number]): readonly string[] {
  const outage = key === 'known' ? 'accepted' : 'outage';
  if (body !== "Kinde's") return [outage];
  if (status === 200) return ['accepted'];
  if (status === 400 || status === 404) return ['unknown'];
  // The M2M token may be to blame: the specs of the token tell when.
  return status === 401 || status === 403 ? ['unknown', outage] : [outage];
}

interface Cell {
  readonly status: number;
  readonly body: string;
  readonly key: (typeof KEYS)[number];
}

const cellsOf = (from: number, to: number): Cell[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index).flatMap((status) =>
    Object.keys(BODIES).flatMap((body) => KEYS.map((key) => ({ status, body, key }))),
  );

function rawAnswer(status: number, type: string, text: string): string {
  return `HTTP/1.1 ${status} Any\r\ncontent-type: ${type}\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
}

/** Kinde down to its bytes, because the emulator sends no status that HTTP does not allow. */
class RawKinde {
  readonly #server = createTcpServer((socket) => {
    socket.setNoDelay().on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      const request = bytes.toString('latin1');
      if (request.startsWith('POST /oauth2/token')) socket.write(TOKEN);
      else if (request.startsWith('POST ')) socket.write(this.#next());
    });
  });
  /** Number of answers of verify. */
  answers = 0;
  #next = (): string => '';

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers verify with what `cellOf` returns, or accepts every key. */
  answerWith(cellOf?: () => Cell): void {
    this.#next = () => {
      this.answers += 1;
      const { status, body } = cellOf?.() ?? { status: 200, body: "Kinde's" };
      const [type, text] = BODIES[body]?.(status) ?? ['', ''];
      return rawAnswer(status, type, text.replace('api_key_forged', `api_key_${this.answers}`));
    };
  }

  stop(): void {
    this.#server.close();
  }
}

const TOKEN = rawAnswer(200, 'application/json', '{"access_token":"opaque","expires_in":1000000000}');

describe('every status with every body', () => {
  const clock = new TestClock();
  const kinde = new RawKinde();
  let origin: string;
  beforeAll(async () => {
    origin = await kinde.start();
  });
  afterAll(() => kinde.stop());

  /** Verifies a key for each cell, after it was accepted once if it is to be known. Its ages never end. */
  async function start(cells: readonly Cell[]) {
    kinde.answerWith();
    const options = { origin, audience: `${origin}/api`, clientId: 'id', clientSecret: 's', timeoutMs: 5_000 };
    const limits = { apiId: null, retries: 0, maxConcurrent: 10_000, maxPerSecond: 100_000, maxQueued: 10_000 };
    const http = new AxiosKindeHttp(unsharedHttpService());
    const verifier = new KeyVerifier(http, { ...options, ...limits }, clock, newLog().log);
    const cache = { ttlMs: 1, staleIfErrorMs: 1e12, negativeTtlMs: 1, maxKeys: 10_000, maxRefusals: 10_000 };
    const service = new ApiKeyVerificationService(verifier, cache, clock);
    const keyOf = (index: number) => rawKey(unknownKey(index));
    for (const [index, { key }] of cells.entries()) if (key === 'known') await service.ask(keyOf(index));
    clock.advance(1);
    const outcomeOf = (index: number): Promise<string> =>
      service.ask(keyOf(index)).then(
        ({ verdict }) => (verdict.accepted ? 'accepted' : verdict.reason),
        ({ code }: { code?: string }) => (code === 'VERIFICATION_UNAVAILABLE' ? 'outage' : String(code)),
      );
    return { verifier, outcomeOf };
  }

  it.each([
    [200, 299],
    [300, 399],
    [400, 499],
    [500, 599],
  ])(
    'refuses no key but for an error of Kinde, and accepts no new key but for a verification, from %i to %i',
    async (from, to) => {
      const cells = cellsOf(from, to);
      expect(cells).toHaveLength(100 * 4 * 2);
      const { verifier, outcomeOf } = await start(cells);
      const wrong: unknown[] = [];
      for (const [index, cell] of cells.entries()) {
        kinde.answerWith(() => cell);
        const { answers } = kinde;
        const outcome = await outcomeOf(index);
        const isAsked = kinde.answers > answers;
        if (!isAsked || !outcomesOf(cell.status, cell.body, cell.key).includes(outcome))
          wrong.push({ ...cell, outcome, isAsked });
        // Ends the pause of the circuit, and the time without calls after a 429.
        clock.advance(61_000);
      }
      verifier.close();
      expect(wrong).toEqual([]);
    },
  );

  it('treats every status from 100 to 199 as an outage: it is not the end of an answer', async () => {
    const cells = cellsOf(100, 199);
    const ofStatus = Array.from({ length: 100 }, (_, index) => cells.slice(8 * index, 8 * index + 8));
    // One verifier for each status, so that no circuit opens.
    const started = [];
    for (const some of ofStatus) started.push({ some, ...(await start(some)) });
    let next = 0;
    kinde.answerWith(() => cells[(next += 1) % cells.length] as Cell);
    // All at once, because most calls end at their deadline.
    const wrong = await Promise.all(
      started.map(async ({ some, outcomeOf, verifier }) => {
        const outcomes = await Promise.all(some.map((_cell, index) => outcomeOf(index)));
        verifier.close();
        return some.filter(({ key }, index) => outcomes[index] !== (key === 'known' ? 'accepted' : 'outage'));
      }),
    );
    expect(wrong.flat()).toEqual([]);
    expect(next).toBeGreaterThanOrEqual(cells.length);
  });
});
