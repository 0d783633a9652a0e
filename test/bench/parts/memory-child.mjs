// node --expose-gc --import ../../../apps/sample/run-sources.mjs memory-child.mjs <ours | slim> <number of keys>: prints the bytes of one cached key.
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const [, , which, text] = process.argv;
const count = Number(text);
const library = new URL('../../../libs/kinde-api-key/src/', import.meta.url);
const { parseVerifyAnswer } = await import(new URL('kinde/answers/verify-answer.ts', library).href);
const { ApiKeyVerificationService } = await import('nestjs-kinde-api-key');

/** Twenty lists of two to eight scopes, ten keys to an organization. */
const SCOPE_LISTS = Array.from({ length: 20 }, (_, list) =>
  Array.from({ length: 2 + (list % 7) }, (_scope, index) => `${index % 2 ? 'write' : 'read'}:resource_${list + index}`),
);

/** Kinde's answer for a key, through the library's own parser: each text in it is an object of its own. */
function answerFor(index) {
  const body = JSON.stringify({
    code: 'API_KEY_VERIFIED',
    message: 'API key verified',
    is_valid: true,
    key_id: `api_key_${hash('md5', `id ${index}`)}`,
    status: 'active',
    scopes: SCOPE_LISTS[index % SCOPE_LISTS.length],
    org_code: `org_${hash('md5', `org ${Math.floor(index / 10)}`).slice(0, 11)}`,
    user_id: null,
    last_verified_on: new Date(1_700_000_000_000 + index * 1_000).toISOString().replace('.000Z', '+00'),
    verification_count: index % 100,
  });
  return parseVerifyAnswer({ status: 200, headers: { 'content-type': 'application/json' }, body }).verdict;
}

function keyOf(index) {
  return `k_live_${hash('sha256', `key ${index}`).slice(0, 48)}`;
}

const FILL = {
  /** The service with everything behind it but the network. */
  async ours() {
    const clock = { now: () => performance.timeOrigin + performance.now() };
    let index = 0;
    const verify = async () => ({ verdict: answerFor(index), sentAtMs: clock.now() });
    const options = { ttlMs: 3_600_000, staleIfErrorMs: 0, negativeTtlMs: 10_000, maxKeys: count, maxRefusals: 1 };
    const service = new ApiKeyVerificationService({ verify }, options, clock);
    for (; index < count; index += 1) await service.verify(keyOf(index));
    return service;
  },
  /** By hand: what a request needs, with shared scopes, without rotated keys and outages. */
  async slim() {
    const cache = new LRUCache({ max: count });
    const lists = new Map();
    for (let index = 0; index < count; index += 1) {
      const { keyId, orgCode, userId, scopes } = answerFor(index).apiKey;
      const list = scopes.join(' ');
      if (!lists.has(list)) lists.set(list, new Set(scopes));
      const entry = {
        keyId,
        orgCode,
        userId,
        scopes: lists.get(list),
        expiresAtMs: performance.timeOrigin + performance.now(),
      };
      cache.set(hash('sha256', keyOf(index), 'binary'), entry);
    }
    return cache;
  },
};

/** Bytes in use after full collections, typed arrays included: lru-cache keeps its order in them. */
function livingBytes() {
  for (let run = 0; run < 4; run += 1) global.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

for (let index = 0; index < 1_000; index += 1) answerFor(index);
const before = livingBytes();
const filled = await FILL[which]();
console.log((livingBytes() - before) / count);
export { filled };
