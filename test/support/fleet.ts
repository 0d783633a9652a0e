import { Test } from '@nestjs/testing';
import {
  ApiKeyVerificationService,
  KINDE_API_KEY_CLOCK,
  KindeApiKeyModule,
  type KindeApiKeyOptions,
} from 'nestjs-kinde-api-key';
import { redisStore } from 'nestjs-kinde-api-key/redis';
import { KindeEmulator, TestClock } from 'nestjs-kinde-api-key/testing';
import { connectClient, type TestClient } from './redis-clients.js';
import { RedisServer } from './redis-server.js';

/** An instance of the app, in this process. */
export interface Instance {
  readonly service: ApiKeyVerificationService;
  readonly client: TestClient;
  /** What it has logged as warnings. */
  readonly warnings: string[];
  stop(): Promise<void>;
}

/** Several instances, the Kinde and the Redis that they share, and one clock. */
export class TestFleet {
  readonly clock = new TestClock();
  readonly instances: Instance[] = [];

  private constructor(
    readonly kinde: KindeEmulator,
    readonly redis: RedisServer,
    /** To look into Redis, and to write what nobody expects. */
    readonly inspector: TestClient,
  ) {}

  static async start(): Promise<TestFleet> {
    const redis = await RedisServer.start();
    const fleet = new TestFleet(await KindeEmulator.start(), redis, await connectClient(redis.port));
    return fleet;
  }

  /** Adds an instance that listens to the others. */
  async add(options: KindeApiKeyOptions = {}, connect = connectClient, redisTimeoutMs = 50): Promise<Instance> {
    const client = await connect(this.redis.port);
    const warnings: string[] = [];
    const testing = await Test.createTestingModule({
      imports: [
        KindeApiKeyModule.forRoot({
          domain: this.kinde.domain,
          ...this.kinde.credentials,
          shared: redisStore({ client: client.client, timeoutMs: redisTimeoutMs }),
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
    const instance = {
      service: app.get(ApiKeyVerificationService),
      client,
      warnings,
      stop: async () => {
        await app.close();
        client.close();
      },
    };
    this.instances.push(instance);
    return instance;
  }

  async stop(): Promise<void> {
    this.redis.thaw();
    for (const instance of this.instances) await instance.stop();
    this.inspector.close();
    await this.redis.stop();
    await this.kinde.stop();
  }
}

/** Waits for something that no event announces. */
export async function until(isSo: () => unknown, withinMs = 5_000): Promise<void> {
  const endsAtMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > endsAtMs) throw new Error(`it did not happen within ${withinMs} ms: ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
