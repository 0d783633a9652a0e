// One instance of an app. test/support/processes.ts starts it in a process of its own, with settings in the environment.
import { Controller, Get, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AnyValidKey,
  ApiKeyVerificationService,
  KindeApiKeyModule,
  PublicRoute,
  RateLimit,
} from 'nestjs-kinde-api-key';
import { redisStore } from 'nestjs-kinde-api-key/redis';
import { CLIENTS } from '../support/redis-clients.js';
import 'reflect-metadata';

const { TEST_REDIS_CLIENT: library = '', TEST_REDIS_PORT, TEST_REDIS_TIMEOUT_MS } = process.env;
const connect = CLIENTS[library];
if (!connect) throw new Error(`TEST_REDIS_CLIENT is not a client library: ${library}`);
const { client } = await connect(Number(TEST_REDIS_PORT));
const shared = redisStore({ client, timeoutMs: Number(TEST_REDIS_TIMEOUT_MS) });

@Controller()
class InstanceController {
  constructor(private readonly apiKeys: ApiKeyVerificationService) {}

  @Get('protected')
  @AnyValidKey()
  read() {
    return 'ok';
  }

  @Get('limited')
  @AnyValidKey()
  @RateLimit({ limit: 100, windowMs: 60_000 })
  readLimited() {
    return 'ok';
  }

  @Post('invalidate/:keyId')
  @PublicRoute()
  async invalidate(@Param('keyId') keyId: string) {
    await this.apiKeys.invalidate({ keyId });
    return 'done';
  }
}

@Module({
  // The longest deadline: processes on a busy machine wait for each other.
  imports: [KindeApiKeyModule.forRoot({ globalGuard: true, shared, kinde: { timeoutMs: 60_000 } })],
  controllers: [InstanceController],
})
class InstanceModule {}

const app = await NestFactory.create(InstanceModule, { logger: ['error'] });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
process.send?.({ url: await app.getUrl() });
process.on('disconnect', () => process.exit());
