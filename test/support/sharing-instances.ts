import { redisStore, type RedisClient } from 'nestjs-kinde-api-key/redis';
import { SystemClock } from '../../libs/kinde-api-key/src/clock.js';
import { AccessToken } from '../../libs/kinde-api-key/src/kinde/token/access-token.js';
import type { Mint } from '../../libs/kinde-api-key/src/kinde/token/m2m-token.js';
import type { RateLimitStore } from '../../libs/kinde-api-key/src/rate-limit/rate-limit-store.js';
import { SharedState } from '../../libs/kinde-api-key/src/shared/shared-state.js';
import { until } from './instances.js';

export const IDENTITY = {
  origin: 'https://acme.kinde.com',
  clientId: 'client',
  clientSecret: 'secret',
  audience: 'audience',
  apiId: null,
  timeoutMs: 2_000,
  maxAcceptedAgeMs: 300_000,
};
const VERDICT = {
  accepted: true,
  apiKey: {
    keyId: 'api_key_1',
    scopes: [],
    orgCode: null,
    userId: null,
    ownerType: 'environment',
    lastVerifiedOn: null,
    verificationCount: null,
  },
} as const;

let names = 0;
/** Returns a client as an app has it. */
export type Connect = () => Promise<RedisClient> | RedisClient;
/** Connects a client of node-redis as an app does. */
export async function connected(client: {
  on(event: 'error', listener: () => void): unknown;
  connect(): Promise<unknown>;
}) {
  client.on('error', () => undefined);
  await client.connect();
  return client as unknown as RedisClient;
}

interface SharingInstance {
  readonly state: SharedState;
  /** The tags that it was told to invalidate. */
  readonly applied: readonly string[];
  readonly limits: RateLimitStore;
  readonly mint: Mint;
}

interface SharingInstances {
  readonly one: SharingInstance;
  readonly other: SharingInstance;
  readonly warnings: readonly string[];
  stop(): Promise<void>;
}

/** Two instances that share a Redis over such a client, and what reaches them. */
export async function start(connect: Connect): Promise<SharingInstances> {
  const clients: RedisClient[] = [];
  const warnings: string[] = [];
  const add = async (): Promise<SharingInstance> => {
    const client = await connect();
    clients.push(client);
    const store = redisStore({ client, timeoutMs: 2_000 });
    const state = new SharedState(store, IDENTITY, new SystemClock(), { warn: (message) => warnings.push(message) });
    const applied: string[] = [];
    state.verdicts.onInvalidations((invalidations) => applied.push(...invalidations.map(({ tag }) => tag)));
    const limits = state.rateLimits({ take: () => ({ accepted: true, limit: 0, remaining: 0, resetAfterMs: 1 }) });
    const endpoint = { mint: async () => new AccessToken(`token ${(names += 1)}`, Date.now(), 86_400_000) };
    const mint = state.shareToken(endpoint);
    await state.start();
    return { state, applied, limits, mint };
  };
  const close = async (): Promise<void> => {
    for (const client of clients) await ('destroy' in client ? client.destroy() : client.disconnect());
  };
  // Both are awaited: a client that connects after the other has failed has to be closed, too.
  const [one, other] = await Promise.allSettled([add(), add()]);
  if (one.status === 'rejected' || other.status === 'rejected') {
    await close();
    throw one.status === 'rejected' ? one.reason : (other as PromiseRejectedResult).reason;
  }
  const stop = async (): Promise<void> => {
    for (const { state } of [one.value, other.value]) await state.close();
    await close();
  };
  return { one: one.value, other: other.value, warnings, stop };
}

/** Checks that two instances share verdicts, invalidations, limits and the M2M token. */
export async function expectSharing({ one, other }: SharingInstances): Promise<void> {
  const name = `${(names += 1)}`;
  await one.state.verdicts.share(name, { verdict: VERDICT, sentAtMs: Date.now() });
  await expect(other.state.verdicts.find(name)).resolves.toMatchObject({ verdict: VERDICT });
  await one.state.verdicts.publish({ tag: `keyId:${name}`, atMs: Date.now() });
  await until(() => one.applied.includes(`keyId:${name}`) && other.applied.includes(`keyId:${name}`), 3_000);
  await expect(one.limits.take('*', name, 2, 60_000)).resolves.toMatchObject({ accepted: true, remaining: 1 });
  await expect(other.limits.take('*', name, 2, 60_000)).resolves.toMatchObject({ accepted: true, remaining: 0 });
  await expect(one.limits.take('*', name, 2, 60_000)).resolves.toMatchObject({ accepted: false, limit: 2 });
  // Whoever holds the stored token gets a new one, and the other one gets that.
  const held = await one.mint.mint({ held: undefined, isForced: false });
  const renewed = await one.mint.mint({ held, isForced: false });
  expect(renewed.reveal()).not.toBe(held.reveal());
  const shared = await other.mint.mint({ held, isForced: false });
  expect(shared.reveal()).toBe(renewed.reveal());
}

/** Waits until two instances share. Throws why they do not, if that lasts too long. */
export async function expectSharingEventually(started: SharingInstances): Promise<void> {
  let failure: unknown;
  const shares = () =>
    expectSharing(started).then(
      () => true,
      (error: unknown) => void (failure = error),
    );
  await until(shares).catch(() => Promise.reject(failure));
}
