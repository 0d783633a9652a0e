// Hits, refusals and requests that ask Kinde: in one process and one run, on one adapter.
import { randomBytes } from 'node:crypto';
import { redisStore } from 'nestjs-kinde-api-key/redis';
import { checkAnswers, createBenchApp } from '../bench-app.mjs';
import { CONTROL, measureRounds } from '../rounds.mjs';
import { startRedis } from '../redis.mjs';
import { ORG_CODE, startUpstream } from '../upstream.mjs';
import {
  digestOf,
  floorGuard,
  freeGuard,
  knownKeys,
  limitingFloorGuard,
  librarySketchGuard,
  refusingFloorGuard,
} from '../variants/floor.mjs';
import {
  ourLimitedVariant,
  ourMiss,
  ourModule,
  OURS_IN_REDIS,
  OURS_WITH_PRINCIPALS,
  ourVariants,
  oursWithPrincipals,
} from '../variants/ours.mjs';

export const FLOOR = 'the floor, by hand';
export const OURS = 'ours, two scopes';
export const REFUSALS = ['missing key', 'bad key, cached', 'missing scope', 'over the rate limit'];

/** Calls take a hundred times as long as hits, and several are under way at once, as they would be. */
const ASKING = { block: 20, atOnce: 10 };

/**
 * @param {'fastify' | 'express'} adapter
 * @param {{ keys: number, rounds: number, warmUp: number, block: number, peers: boolean, guard?: unknown }} plan `peers`: whether other libraries are measured, too
 * @returns what was measured, and the names of the variants by table
 */
export async function measureHotPath(adapter, plan) {
  const upstream = await startUpstream(plan.keys);
  const known = knownKeys(upstream);
  const keyOf = (index) => upstream.keys[index % upstream.keys.length].key;
  const peers = plan.peers && (await import('../variants/peers.mjs'));
  const redis = peers ? await startRedis() : undefined;
  const tables = {
    hits: [
      ...baseline(known, keyOf),
      ...ourVariants(keyOf, plan.guard),
      oursWithPrincipals(upstream, keyOf, plan.guard),
    ],
    refusals: refusalVariants(known, upstream, plan.guard),
    asking: [],
  };
  if (peers) {
    tables.hits.push(...(await peers.peerVariants(known, upstream.keys, keyOf)));
    const asking = [ourMiss(upstream, keyOf), await peers.quickStartVariant(upstream, keyOf)];
    asking.push(await peers.kindeSdkVariant(upstream, keyOf));
    if (redis) asking.unshift(ourMiss(upstream, keyOf, redisStore({ client: redis.client, timeoutMs: 1_000 })));
    tables.asking.push(...asking.map((variant) => ({ ...variant, ...ASKING })));
  }
  const all = Object.values(tables).flat();
  const { app, variants } = await createBenchApp(adapter, all, [ourModule(upstream)], ORG_CODE);
  try {
    await checkAnswers(variants);
    await checkRefusalsAreEqual(variants);
    for (const name of [OURS, OURS_WITH_PRINCIPALS, OURS_IN_REDIS]) await askForAll(variants, name, plan.keys);
    const measured = await measureRounds(variants, plan);
    return { measured, tables: mapValues(tables, (rows) => rows.map(({ name }) => name)) };
  } finally {
    upstream.stop();
    await app.close();
    redis?.stop();
  }
}

function baseline(known, keyOf) {
  return [
    ...CONTROL.map((name) => ({ name, keyOf })),
    { name: 'a guard that returns true', guards: [freeGuard()], keyOf },
    { name: FLOOR, guards: [floorGuard(known)], keyOf },
    { name: 'the same in the shape of a library', guards: [librarySketchGuard(known)], keyOf },
  ];
}

/** Every refusal twice: written by hand, and ours. */
function refusalVariants(known, { keys: [{ key }], narrowKey }, guard) {
  const badKey = `k_live_${randomBytes(24).toString('hex')}`;
  const byHand = refusingFloorGuard(known, new Map([[digestOf(badKey), Infinity]]));
  const [ours] = ourVariants(() => undefined, guard);
  const limited = { byHand: limitingFloorGuard(known), ours: ourLimitedVariant(guard) };
  const cases = [
    { refused: { keyOf: () => undefined, status: 401 }, byHand, ours },
    { refused: { keyOf: () => badKey, status: 401 }, byHand, ours },
    { refused: { keyOf: () => narrowKey, status: 403 }, byHand, ours },
    { refused: { keyOf: () => key, status: 429, before: 1 }, ...limited },
  ];
  return cases.flatMap(({ refused, ...guards }, index) => [
    { ...refused, name: `${REFUSALS[index]}, by hand`, guards: [guards.byHand] },
    { ...guards.ours, ...refused, name: `${REFUSALS[index]}, ours` },
  ]);
}

/** The comparison is fair if both say the same. */
async function checkRefusalsAreEqual(variants) {
  const answerOf = async (name) => {
    const { statusCode, headers, payload } = await variants.find((variant) => variant.name === name).request(0);
    return JSON.stringify([statusCode, headers['www-authenticate'], headers['cache-control'], JSON.parse(payload)]);
  };
  for (const refusal of REFUSALS) {
    const [byHand, ours] = [await answerOf(`${refusal}, by hand`), await answerOf(`${refusal}, ours`)];
    if (byHand !== ours) throw new Error(`The refusals differ:\n${byHand}\n${ours}`);
  }
}

/** Every key once, so that hits are hits. */
async function askForAll(variants, name, keys) {
  const ours = variants.find((variant) => variant.name === name);
  if (!ours) return;
  for (let index = 0; index < keys; index += 100) {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, offset) => ours.request(index + offset)));
    if (answers.some(({ statusCode }) => statusCode !== 200)) throw new Error('a good key was refused');
  }
}

function mapValues(record, map) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
