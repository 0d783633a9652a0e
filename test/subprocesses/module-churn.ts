// Creates and closes an app a thousand times, and reports the heap and the open handles after 200 rounds and at the end.
import 'reflect-metadata';
import { Controller, Get, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ApiKeyGuard,
  ApiKeyVerificationService,
  KindeApiKeyModule,
  OrgScoped,
  RequireScopes,
} from 'nestjs-kinde-api-key';

const { KINDE, CLIENT_ID, CLIENT_SECRET, GOOD_KEY } = process.env;
const ROUNDS = 1_000;
/** Runs the same without the library, to measure what Nest itself leaves behind. */
const IS_WITHOUT = process.env.WITHOUT_LIBRARY === 'true';

@Controller('organizations/:orgCode')
@UseGuards(ApiKeyGuard)
@OrgScoped()
class GuardedController {
  @Get()
  @RequireScopes('read:users')
  find(): string {
    return 'ok';
  }
}

@Controller('organizations/:orgCode')
class PlainController {
  @Get()
  find(): string {
    return 'ok';
  }
}

/** Runs one app from start to end, with an accepted and a refused key. */
async function runApp(): Promise<void> {
  @Module({
    imports: IS_WITHOUT
      ? []
      : [
          KindeApiKeyModule.forRoot({
            domain: KINDE ?? '',
            clientId: CLIENT_ID ?? '',
            clientSecret: CLIENT_SECRET ?? '',
            failedAttempts: { limit: 10, windowMs: 60_000 },
          }),
        ],
    controllers: [IS_WITHOUT ? PlainController : GuardedController],
  })
  class AppModule {}

  const app = await NestFactory.create(AppModule, { logger: false });
  await app.init();
  if (!IS_WITHOUT) await useKeys(app.get(ApiKeyVerificationService));
  await app.close();
}

async function useKeys(service: ApiKeyVerificationService): Promise<void> {
  const { accepted } = await service.verify(GOOD_KEY ?? '');
  const refused = await service.verify('k_live_this_key_is_unknown');
  if (!accepted || refused.accepted) throw new Error('the wrong verdict');
  // In flight when the app closes.
  service.verify('k_live_this_is_in_flight').catch(() => undefined);
}

const measure = async (): Promise<{ heapMb: number; resources: string[] }> => {
  for (let times = 0; times < 5; times += 1) await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc?.();
  globalThis.gc?.();
  return {
    heapMb: process.memoryUsage().heapUsed / 1_048_576,
    resources: process
      .getActiveResourcesInfo()
      .filter((name) => name !== 'Immediate')
      .sort(),
  };
};

const marks: Record<number, Awaited<ReturnType<typeof measure>>> = {};
for (let round = 1; round <= ROUNDS; round += 1) {
  await runApp();
  if (round === 200 || round === ROUNDS) marks[round] = await measure();
}
process.send?.({ early: marks[200], late: marks[ROUNDS] });
process.disconnect();
