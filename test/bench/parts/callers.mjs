// Ten thousand concurrent callers with one key that is not cached: how many calls, and what does sharing one cost?
import { Inject, UnauthorizedException } from '@nestjs/common';
import { ApiKeyGuard, ApiKeyVerificationService, RequireScopes } from 'nestjs-kinde-api-key';
import { createBenchApp } from '../bench-app.mjs';
import { round, table } from '../report.mjs';
import { median, shuffled } from '../statistics.mjs';
import { ORG_CODE, SCOPES, startUpstream } from '../upstream.mjs';
import { digestOf } from '../variants/floor.mjs';
import { ourModule } from '../variants/ours.mjs';
import { fetchToken } from '../variants/peers.mjs';

const CALLERS = 10_000;

/** @returns {Promise<string>} a table in Markdown */
export async function reportCallers(quick) {
  const upstream = await startUpstream(1);
  const byHand = await singleFlight(upstream);
  class ServiceHolder {
    constructor(service) {
      ServiceHolder.service = service;
    }
  }
  Inject(ApiKeyVerificationService)(ServiceHolder, undefined, 0);
  let key;
  const keyOf = () => key;
  const routes = [
    { name: 'by hand', guards: [singleFlightGuard(byHand)], keyOf },
    { name: 'ours', guards: [ApiKeyGuard], decorators: [RequireScopes(...SCOPES)], providers: [ServiceHolder], keyOf },
  ];
  const { app, variants } = await createBenchApp('fastify', routes, [ourModule(upstream)], ORG_CODE);
  const [handRoute, ourRoute] = variants;
  const cases = new Map([
    ['requests, by hand', () => handRoute.request(0)],
    ['requests, ours', () => ourRoute.request(0)],
    ['verify() alone, by hand', () => byHand(key)],
    ['verify() alone, ours', () => ServiceHolder.service.verify(key)],
  ]);
  const times = new Map([...cases.keys()].map((name) => [name, []]));
  const calls = new Map();
  for (let run = -3; run < (quick ? 5 : 30); run += 1) {
    for (const name of shuffled([...cases.keys()])) {
      key = await upstream.createKey();
      const before = await upstream.countVerifications();
      const ms = await timeOf(cases.get(name));
      if (run >= 0) times.get(name).push(ms);
      calls.set(name, Math.max(calls.get(name) ?? 0, (await upstream.countVerifications()) - before));
    }
  }
  upstream.stop();
  await app.close();
  const rows = ['requests', 'verify() alone'].map((what) => rowOf(what, times, calls));
  const head = ['10,000 callers', 'calls of Kinde', 'by hand ms', 'ours ms', 'ratio'];
  return `## ${CALLERS.toLocaleString('en')} concurrent callers, one new key\n\n${table(head, rows)}`;
}

function rowOf(what, times, calls) {
  const [byHand, ours] = [times.get(`${what}, by hand`), times.get(`${what}, ours`)];
  const ratio = median(ours.map((ms, run) => ms / byHand[run]));
  return [what, calls.get(`${what}, ours`), round(median(byHand), 0), round(median(ours), 0), `**${round(ratio)}**`];
}

async function timeOf(call) {
  global.gc?.();
  const start = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, call));
  return performance.now() - start;
}

/** A promise for each digest, and its result: single flight by hand. */
async function singleFlight({ domain, credentials }) {
  const token = await fetchToken(domain, credentials);
  const known = new Map();
  const flights = new Map();
  async function ask(digest, apiKey) {
    const response = await fetch(`${domain}/api/v1/api_keys/verify`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ api_key: apiKey }),
    });
    const { is_valid: isValid, scopes } = await response.json();
    const entry = { isValid, scopes: new Set(scopes), expiresAtMs: Date.now() + 60_000 };
    known.set(digest, entry);
    flights.delete(digest);
    return entry;
  }
  return async function verify(apiKey) {
    const digest = digestOf(apiKey);
    const entry = known.get(digest);
    if (entry && entry.expiresAtMs > Date.now()) return entry;
    let flight = flights.get(digest);
    if (!flight) flights.set(digest, (flight = ask(digest, apiKey)));
    return flight;
  };
}

function singleFlightGuard(verify) {
  return class SingleFlightGuard {
    async canActivate(context) {
      const request = context.switchToHttp().getRequest();
      const { isValid, scopes } = await verify(request.headers.authorization?.slice('Bearer '.length) ?? '');
      if (!isValid || !SCOPES.every((scope) => scopes.has(scope))) throw new UnauthorizedException();
      return true;
    }
  };
}
