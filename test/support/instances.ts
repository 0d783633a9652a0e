import { Test } from '@nestjs/testing';
import {
  ApiKeysService,
  ApiKeyVerificationService,
  KINDE_API_KEY_CLOCK,
  KindeApiKeyModule,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import { redisStore } from 'nestjs-kinde-api-key/redis';
import { KindeEmulator, TestClock } from 'nestjs-kinde-api-key/testing';
import { connectClient, type TestClient } from './redis-clients.js';
import { RedisServer } from './redis-server.js';

/** Deadline of a Redis command in tests. A busy machine must not exceed it; the default is 50 ms. */
export const REDIS_TIMEOUT_MS = 1_000;

/** One instance of the app, in this process. */
export interface TestInstance {
  readonly service: ApiKeyVerificationService;
  readonly keys: ApiKeysService;
  readonly redis: TestClient;
  /** The warnings that it has logged. */
  readonly warnings: string[];
  stop(): Promise<void>;
}

/** Instances of the app that share a Kinde, a Redis and a clock. */
export class TestInstances {
  readonly clock = new TestClock();
  readonly all: TestInstance[] = [];

  private constructor(
    readonly kinde: KindeEmulator,
    readonly redis: RedisServer,
    /** Reads and writes Redis beside the instances. */
    readonly inspector: TestClient,
  ) {}

  static async start(): Promise<TestInstances> {
    const redis = await RedisServer.start();
    return new TestInstances(await KindeEmulator.start(), redis, await connectClient(redis.port));
  }

  /** Adds an instance, and resolves when it has booted. */
  async add(options: KindeApiKeyOptions = {}, connect = connectClient): Promise<TestInstance> {
    const redis = await connect(this.redis.port);
    const warnings: string[] = [];
    const testing = await Test.createTestingModule({
      imports: [
        KindeApiKeyModule.forRoot({
          domain: this.kinde.domain,
          ...this.kinde.credentials,
          verifyAtBoot: false,
          shared: redisStore({ client: redis.client, timeoutMs: REDIS_TIMEOUT_MS }),
          ...options,
        }),
      ],
    })
      .overrideProvider(KINDE_API_KEY_CLOCK)
      .useValue(this.clock)
      .setLogger({ log() {}, error() {}, warn: (message: string) => warnings.push(message) })
      .compile();
    const app = testing.createNestApplication();
    await app.init();
    const stop = async (): Promise<void> => {
      await app.close();
      redis.close();
    };
    const [service, keys] = [app.get(ApiKeyVerificationService), app.get(ApiKeysService)];
    const instance = { service, keys, redis, warnings, stop };
    this.all.push(instance);
    return instance;
  }

  async stop(): Promise<void> {
    this.redis.thaw();
    for (const instance of this.all) await instance.stop();
    this.inspector.close();
    await this.redis.stop();
    await this.kinde.stop();
  }
}

/** Waits for a condition that no event announces. */
export async function until(condition: () => unknown, withinMs = 15_000): Promise<void> {
  const endsAtMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > endsAtMs)
      throw new Error(`it did not happen within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
