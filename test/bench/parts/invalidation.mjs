// What an invalidation costs beside a look-up of a cached key, with 50,000 keys in memory: it must not grow with their number.
import { hash } from 'node:crypto';
import { round, table } from '../report.mjs';
import { median } from '../statistics.mjs';

const KEYS = 50_000;
const BURST = 1_000;

/** Measures a thousand look-ups, a thousand invalidations, and a thousand announcements of another instance in a row. In milliseconds. */
export async function measureInvalidation(rounds) {
  const { ApiKeyVerificationService } = await import('nestjs-kinde-api-key');
  const clock = { now: () => performance.timeOrigin + performance.now() };
  let announce;
  let created = 0;
  const verify = async () => ({ verdict: { accepted: true, apiKey: apiKeyOf(created) }, sentAtMs: clock.now() });
  const shared = {
    onInvalidations: (listener) => (announce = listener),
    find: async () => undefined,
    claim: async () => true,
    release: async () => undefined,
    share: async () => undefined,
    invalidationsOf: async () => [],
    publish: async () => undefined,
  };
  const options = { ttlMs: 3_600_000, staleIfErrorMs: 0, negativeTtlMs: 10_000, maxKeys: KEYS, maxRefusals: 1 };
  const service = new ApiKeyVerificationService({ verify, isDown: false }, options, clock, shared);
  for (; created < KEYS; created += 1) await service.verify(keyOf(created));
  const times = { lookUps: [], invalidations: [], announcements: [] };
  for (let run = -5; run < rounds; run += 1) {
    const ids = Array.from({ length: BURST }, (_, index) => `unknown_${run}_${index}`);
    const keys = Array.from({ length: BURST }, (_, index) => keyOf((index * 37 + (run + 5) * 101) % KEYS));
    // Once before it is measured: the first look-up after an invalidation compares the entry with it.
    for (const key of keys) service.verifyCached(key);
    const measured = {
      lookUps: timeOf(() => keys.forEach((key) => service.verifyCached(key))),
      invalidations: timeOf(() => ids.forEach((keyId) => void service.invalidate({ keyId }))),
      announcements: timeOf(() => ids.forEach((id) => announce([{ tag: `keyId:other_${id}`, atMs: clock.now() }]))),
    };
    await new Promise((resolve) => setImmediate(resolve));
    if (run >= 0) for (const [name, ms] of Object.entries(measured)) times[name].push(ms);
  }
  const [lookUps, invalidations, announcements] = Object.values(times).map(median);
  return { lookUps, invalidations, announcements, ratio: invalidations / lookUps };
}

/** @returns {Promise<string>} a table in Markdown */
export async function reportInvalidation(quick) {
  const { lookUps, invalidations, announcements, ratio } = await measureInvalidation(quick ? 20 : 100);
  const rows = [
    ['look-ups of cached keys', round(lookUps), 1],
    ['`invalidate({ keyId })`', round(invalidations), round(ratio)],
    ['announcements of another instance', round(announcements), round(announcements / lookUps)],
  ];
  return `## Invalidations, ${KEYS.toLocaleString('en')} keys in memory\n\n${table(['a thousand', 'ms', '× look-up'], rows)}`;
}

function timeOf(run) {
  const start = performance.now();
  run();
  return performance.now() - start;
}

function keyOf(index) {
  return `k_live_${hash('sha256', `key ${index}`).slice(0, 48)}`;
}

function apiKeyOf(index) {
  return {
    keyId: `api_key_${index}`,
    scopes: ['read:reports'],
    orgCode: `org_${index % 5_000}`,
    userId: null,
    ownerType: 'organization',
    lastVerifiedOn: null,
    verificationCount: null,
  };
}
