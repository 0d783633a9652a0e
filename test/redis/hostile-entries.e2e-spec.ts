import { redisStore } from 'nestjs-kinde-api-key/redis';
import { TestClock } from 'nestjs-kinde-api-key/testing';
import { ApiKeyVerificationService } from 'nestjs-kinde-api-key';
import { SharedSecrets, type SharedIdentity } from '../../libs/kinde-api-key/src/shared/shared-secrets.js';
import { SharedState } from '../../libs/kinde-api-key/src/shared/shared-state.js';
import { sealVerdict } from '../../libs/kinde-api-key/src/shared/sealed-verdict.js';
import type { AcceptedVerdict } from '../../libs/kinde-api-key/src/api-key/verdict.js';
import { RawKey } from '../../libs/kinde-api-key/src/api-key/raw-key.js';
import { connectClient, type TestClient } from '../support/redis-clients.js';
import { describeRedis, RedisServer } from '../support/redis-server.js';

const IDENTITY: SharedIdentity = {
  origin: 'https://acme.kinde.com',
  clientId: 'client',
  clientSecret: 'the client secret',
  audience: 'https://acme.kinde.com/api',
  apiId: null,
};
const CACHE = { ttlMs: 60_000, staleIfErrorMs: 240_000, negativeTtlMs: 0, maxKeys: 100_000, maxRefusals: 10 };

const rawKey = (index: number) => `k_live_hostile_${String(index).padStart(8, '0')}`;
const digestOf = (index: number) => RawKey.parse(rawKey(index))?.digest ?? '';

function verdict(index: number, orgCode = `org_${index}`): AcceptedVerdict {
  return {
    accepted: true,
    apiKey: {
      keyId: `api_key_${index}`,
      scopes: ['read:users'],
      orgCode,
      userId: null,
      ownerType: 'organization',
      lastVerifiedOn: null,
      verificationCount: 1,
    },
  };
}

describeRedis('verdicts in Redis', () => {
  const clock = new TestClock();
  const secrets = new SharedSecrets(IDENTITY);
  let server: RedisServer;
  let connected: TestClient;
  let service: ApiKeyVerificationService;
  let asked = 0;

  beforeAll(async () => {
    server = await RedisServer.start();
    connected = await connectClient(server.port);
    const store = redisStore({ client: connected.client, timeoutMs: 5_000 });
    const state = new SharedState(store, { ...IDENTITY, timeoutMs: 2_000, maxAcceptedAgeMs: 300_000 }, clock, {
      warn() {},
    });
    // Kinde knows none of these keys: only a verdict in Redis can make one accepted.
    const refuseAll = {
      verify: async () => {
        asked += 1;
        return { verdict: { accepted: false, reason: 'unknown' } as const, sentAtMs: clock.now() };
      },
    };
    service = new ApiKeyVerificationService(refuseAll, CACHE, clock, state.verdicts);
  });
  afterAll(async () => {
    connected.close();
    await server.stop();
  });

  /** The sealed verdict of a key, verified `ageMs` ago. */
  function genuine(index: number, ageMs = 0, by = secrets): string {
    const name = by.verdictName(digestOf(index));
    return sealVerdict(by, name, { verdict: verdict(index), sentAtMs: clock.now() - ageMs }) ?? '';
  }

  async function accepts(index: number, entry: string): Promise<boolean> {
    await connected.command('SET', secrets.verdictName(digestOf(index)), entry);
    return (await service.verify(rawKey(index))).accepted;
  }

  const altered = (text: string, at: number, to: string) => text.slice(0, at) + to + text.slice(at + 1);
  const otherRegistrations = [
    new SharedSecrets({ ...IDENTITY, clientSecret: 'another secret' }),
    new SharedSecrets({ ...IDENTITY, clientId: 'another client' }),
    new SharedSecrets({ ...IDENTITY, origin: 'https://other.kinde.com' }),
    new SharedSecrets({ ...IDENTITY, apiId: 'another api' }),
  ];
  const HOSTILE: Readonly<Record<string, (index: number) => string>> = {
    truncated: (index) => genuine(index).slice(0, index % genuine(index).length),
    extended: (index) => `${genuine(index)}${'} x'.charAt(index % 3)}`,
    'with one character changed': (index) => {
      const entry = genuine(index);
      const at = index % entry.length;
      return altered(entry, at, entry[at] === '0' ? '1' : '0');
    },
    'of another key': (index) => genuine(index + 1),
    'of another registration': (index) => genuine(index, 0, otherRegistrations[index % otherRegistrations.length]),
    'of another organization': (index) => genuine(index).replace(`org_${index}`, 'org_victim'),
    'with a newer time': (index) => genuine(index, 301_000).replace(/^1\.\d+/, `1.${clock.now() - (index % 1_000)}`),
    expired: (index) => genuine(index, 300_000 + index),
    'from the future': (index) => genuine(index, -2_001 - index),
    'of another format version': (index) => genuine(index).replace(/^1/, String(2 + (index % 8))),
    'without an HMAC': (index) =>
      genuine(index).replace(/\.[\w-]{43}\./, ['.', '..', `.${'A'.repeat(43)}.`][index % 3] ?? ''),
    'a plain answer of Kinde': (index) =>
      JSON.stringify({ is_valid: true, status: 'active', key_id: `api_key_${index}`, scopes: ['admin'] }),
    garbage: (index) => ['\u0000', '{}', '1.1.', 'x'.repeat(70_000), '\uFFFD'.repeat(9)][index % 5] ?? '',
  };

  it('are accepted if they are genuine', async () => {
    await expect(accepts(1_000_000, genuine(1_000_000))).resolves.toBe(true);
    await expect(accepts(1_000_001, genuine(1_000_001, 59_999))).resolves.toBe(true);
    await expect(accepts(1_000_002, genuine(1_000_002, -2_000))).resolves.toBe(true);
    expect(asked).toBe(0);
  });

  it('are never accepted if they are forged, altered, moved, expired or from the future: 10,000 of them', async () => {
    const kinds = Object.entries(HOSTILE);
    const accepted: string[] = [];
    for (let start = 0; start < 10_000; start += 200) {
      await Promise.all(
        Array.from({ length: 200 }, async (_, offset) => {
          const index = start + offset;
          const [kind, make] = kinds[index % kinds.length] ?? ['', () => ''];
          if (await accepts(index, make(index))) accepted.push(`${index}: ${kind}`);
        }),
      );
    }
    expect(accepted).toEqual([]);
    expect(asked).toBe(10_000);
  });

  it('are ignored if they are of another type than a string', async () => {
    const name = secrets.verdictName(digestOf(2_000_000));
    await connected.command('LPUSH', name, genuine(2_000_000));
    await expect(service.verify(rawKey(2_000_000))).resolves.toMatchObject({ accepted: false });
  });
});
