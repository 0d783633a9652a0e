import { Redis } from 'ioredis';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { SCOPES } from '../../apps/sample/src/scopes.js';
import { KINDE_VARIABLES } from '../../apps/sample/src/start-up/settings.js';
import { type RunningSample, startSample } from '../../apps/sample/src/start-up/start-sample.js';
import { until } from '../support/instances.js';
import { describeRedis, RedisServer } from '../support/redis-server.js';

describeRedis('the sample with REDIS_URL', () => {
  let redis: RedisServer;
  let kinde: KindeEmulator;

  beforeAll(async () => {
    redis = await RedisServer.start();
    kinde = await KindeEmulator.start({ apis: [{ name: 'Sample API', scopes: SCOPES }] });
    Object.assign(process.env, kinde.environment, { REDIS_URL: `redis://127.0.0.1:${redis.port}` });
  });
  afterAll(async () => {
    for (const name of [...KINDE_VARIABLES, 'REDIS_URL']) delete process.env[name];
    await kinde.stop();
    await redis.stop();
  });

  const send = ({ url }: RunningSample, path: string, rawKey: string, method = 'GET'): Promise<Response> =>
    fetch(url + path, { method, headers: { authorization: `Bearer ${rawKey}` } });

  it.each(['express', 'fastify'] as const)(
    'shares verdicts and revocations between two instances on %s, and leaves no connection behind',
    async (httpAdapter) => {
      const samples = [
        await startSample({ port: 0, httpAdapter, kindeDomain: kinde.domain }),
        await startSample({ port: 0, httpAdapter, kindeDomain: kinde.domain }),
      ] as const;
      const [one, other] = samples;
      const { key, keyId } = kinde.createKey({ orgCode: 'org_acme', scopes: ['read:projects'] });
      const { key: manager } = kinde.createKey({ orgCode: 'org_acme', scopes: SCOPES });

      kinde.resetCounters();
      expect((await send(one, '/key', key)).status).toBe(200);
      expect((await send(other, '/key', key)).status).toBe(200);
      expect(kinde.counters.verifies).toBe(1);

      expect((await send(one, `/organizations/org_acme/api-keys/${keyId}`, manager, 'DELETE')).status).toBe(204);
      const refused = await send(other, '/key', key);
      expect([refused.status, await refused.json()]).toMatchObject([401, { code: 'KEY_REVOKED' }]);

      for (const sample of samples) await sample.stop();
      const client = new Redis(redis.port);
      await until(
        async () =>
          String(await client.client('LIST'))
            .trim()
            .split('\n').length === 1,
      ); // the one that asks
      client.disconnect();
    },
  );
});
