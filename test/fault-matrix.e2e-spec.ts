import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { ApiKeyGuard } from 'nestjs-kinde-api-key';
import type { KindeEmulator, KindeEmulatorFault } from 'nestjs-kinde-api-key/testing';
import type { Answer } from './support/http.js';
import { ADAPTERS, startScenario, type Adapter, type Scenario } from './support/scenario.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const TIMEOUT_MS = 250;
/** The deadline, with the room that a busy machine needs. */
const ANSWERED_WITHIN_MS = 1_250;
const TTL_MS = 60_000;
const MAX_ACCEPTED_AGE_MS = 300_000;
/** Shorter than an entry's age in every state but the first, so that the token endpoint is needed while it is broken. */
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
/** What may be answered while it lasts: an outage, or that our own credentials are refused. */
type Trouble = 'outage' | 'misconfigured';

const verify =
  (fault: KindeEmulatorFault): Break =>
  (emulator) =>
    emulator.failUntilCleared(fault, 'verify');
const token =
  (fault: KindeEmulatorFault): Break =>
  (emulator) =>
    emulator.failUntilCleared(fault, 'token');
/** An answer that would be an acceptance but for one thing. */
const almost = (change: object): Break => verify({ status: 200, headers: JSON_TYPE, body: { ...ACCEPTED, ...change } });

const FAULTS: readonly [title: string, trouble: Trouble, break_: Break][] = [
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
  ['HTML that calls itself JSON', 'outage', verify({ status: 200, headers: JSON_TYPE, body: HTML })],
  [
    'acceptance as text/plain',
    'outage',
    verify({ status: 200, headers: { 'content-type': 'text/plain' }, body: ACCEPTED }),
  ],
  ['acceptance with status 201', 'outage', verify({ status: 201, headers: JSON_TYPE, body: ACCEPTED })],
  ['is_valid "true"', 'outage', almost({ is_valid: 'true' })],
  ['is_valid 1', 'outage', almost({ is_valid: 1 })],
  ['no is_valid', 'outage', almost({ is_valid: undefined })],
  ['scopes a text', 'outage', almost({ scopes: 'read:users' })],
  ['scopes null', 'outage', almost({ scopes: null })],
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

const STATES = ['proven, fresh', 'new, then', 'proven, stale', 'new, later', 'proven, too old'] as const;
type State = (typeof STATES)[number];

const CODES: Readonly<Record<Trouble, string>> = {
  outage: '503 VERIFICATION_UNAVAILABLE',
  misconfigured: '503 VERIFICATION_MISCONFIGURED',
};

/** A stale answer is for outages alone: that our own credentials are refused does not heal by waiting. */
function expected(trouble: Trouble): Record<State, string> {
  const refused = CODES[trouble];
  return {
    'proven, fresh': '200',
    'new, then': refused,
    'proven, stale': trouble === 'outage' ? '200' : refused,
    'new, later': refused,
    'proven, too old': refused,
  };
}

const shortOf = ({ status, body }: Answer) =>
  status === 200 ? '200' : `${status} ${(body as { code?: string }).code ?? 'no code'}`;

/** Counts whoever follows a redirect. */
async function startTrap(): Promise<{ server: Server; url: string; visits: () => number }> {
  let visits = 0;
  const server = createServer((_request, response) => {
    visits += 1;
    response.writeHead(200, JSON_TYPE).end(JSON.stringify(ACCEPTED));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://localhost:${(server.address() as AddressInfo).port}/`, visits: () => visits };
}

interface Row {
  readonly answers: Record<State, string>;
  readonly slowestMs: number;
  /** Once the fault is over, every key of the row is accepted: no outage was remembered as a refusal. */
  readonly recovered: boolean;
}

/** Asks until Kinde is trusted again, as clients do: the breaker's last probe may still be on its way. */
async function comesBack({ get, clock }: Scenario, keys: readonly string[]): Promise<boolean> {
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
    // oxlint-disable-next-line no-console -- the matrix is to be read
    console.log(tableOf(rows));
  });

  /** One row of the matrix. Jest itself fails a test in which a rejection is left unhandled. */
  async function drive(scenario: Scenario, break_: Break): Promise<Row> {
    const { emulator, clock } = scenario;
    let slowestMs = 0;
    const ask = async (key: string): Promise<string> => {
      const startedAtMs = performance.now();
      const answer = await scenario.get('/', key);
      slowestMs = Math.max(slowestMs, performance.now() - startedAtMs);
      return shortOf(answer);
    };
    const [fresh, stale, firstNew, secondNew] = Array.from({ length: 4 }, () => emulator.createKey().key) as [
      string,
      string,
      string,
      string,
    ];
    expect([await ask(fresh), await ask(stale)]).toEqual(['200', '200']);
    const provenAtMs = clock.now();
    await break_(emulator, trap.url);
    clock.set(provenAtMs + TTL_MS - 10_000);
    const [provenFresh, newThen] = await Promise.all([ask(fresh), ask(firstNew)]);
    clock.set(provenAtMs + TTL_MS + 1_000);
    const [provenStale, newLater] = await Promise.all([ask(stale), ask(secondNew)]);
    clock.set(provenAtMs + MAX_ACCEPTED_AGE_MS - 1);
    const lastMoment = await ask(fresh);
    expect(lastMoment).toBe(provenStale);
    clock.set(provenAtMs + MAX_ACCEPTED_AGE_MS);
    const tooOld = await Promise.all([ask(fresh), ask(stale)]);
    expect(new Set(tooOld).size).toBe(1);
    emulator.clearFaults();
    return {
      slowestMs,
      recovered: await comesBack(scenario, [fresh, stale, firstNew, secondNew]),
      answers: {
        'proven, fresh': provenFresh,
        'new, then': newThen,
        'proven, stale': provenStale,
        'new, later': newLater,
        'proven, too old': tooOld[0] ?? '',
      },
    };
  }

  it.each(FAULTS)(
    '%s: proven keys are served within their bound, nothing is accepted beyond it, and no key is refused',
    async (fault, trouble, break_) => {
      const driven = await Promise.all(ADAPTERS.map((adapter) => drive(scenarios[adapter], break_)));
      for (const [index, row] of driven.entries()) rows.push({ fault, adapter: ADAPTERS[index] ?? 'express', row });
      for (const { answers, slowestMs, recovered } of driven) {
        expect(answers).toEqual(expected(trouble));
        expect(recovered).toBe(fault !== STOPPED);
        expect(slowestMs).toBeLessThan(ANSWERED_WITHIN_MS);
      }
    },
  );

  it('has followed no redirect', () => {
    expect(trap.visits()).toBe(0);
  });

  it('has no cell in which a key is accepted wrongly or refused wrongly', () => {
    const cells = rows.flatMap(({ row }) => Object.entries(row.answers) as [State, string][]);
    expect(cells).toHaveLength(FAULTS.length * ADAPTERS.length * STATES.length);
    expect(cells.filter(([, answer]) => answer.startsWith('401'))).toEqual([]);
    expect(cells.filter(([state, answer]) => answer === '200' && !state.startsWith('proven'))).toEqual([]);
    expect(cells.filter(([state, answer]) => answer === '200' && state === 'proven, too old')).toEqual([]);
  });
});

function tableOf(rows: readonly { fault: string; adapter: Adapter; row: Row }[]): string {
  const header = ['fault', 'adapter', ...STATES, 'slowest'];
  const lines = rows.map(({ fault, adapter, row }) => [
    fault,
    adapter,
    ...STATES.map((state) => row.answers[state].replace('VERIFICATION_', '')),
    `${Math.round(row.slowestMs)} ms`,
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
  const slowestMs = Math.round(Math.max(0, ...rows.map(({ row }) => row.slowestMs)));
  return [...written, '', `deadline ${TIMEOUT_MS} ms, slowest answer ${slowestMs} ms`].join('\n');
}
