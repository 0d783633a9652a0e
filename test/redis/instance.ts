// One instance of an app. test/support/processes.ts starts it in a process of its own, with settings in the environment.
import { Controller, Get, Module, Param, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import {
  AnyValidKey,
  ApiKeyVerificationService,
  KindeApiKeyModule,
  PublicRoute,
  RateLimit,
} from 'nestjs-kinde-api-key';
import { redisStore } from 'nestjs-kinde-api-key/redis';
import 'reflect-metadata';

const redis = new Redis(Number(process.env.TEST_REDIS_PORT), '127.0.0.1');
// The longest deadline: eight processes on two cores wait for each other.
const shared = redisStore({ client: redis, timeoutMs: 5_000 });

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
  imports: [KindeApiKeyModule.forRoot({ globalGuard: true, shared })],
  controllers: [InstanceController],
})
class InstanceModule {}

const app = await NestFactory.create(InstanceModule, { logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
process.send?.({ url: await app.getUrl() });
process.on('disconnect', () => process.exit());
