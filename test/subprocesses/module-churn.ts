// Creates and closes an app a thousand times, and prints what the heap and the handles of the process are on the way.
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
/** The same without the library: what Nest itself leaves behind. */
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

/** One app, from its start to its end, with a key that is accepted and one that is not. */
async function live(): Promise<void> {
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
  const refused = await service.verify('k_live_nobody_has_this_one');
  if (!accepted || refused.accepted) throw new Error('the wrong verdict');
  // One that nobody waits for any more.
  service.verify('k_live_nobody_waits_for_it').catch(() => undefined);
}

const measure = async (): Promise<{ heapMb: number; resources: string[] }> => {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
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
  await live();
  if (round === 200 || round === ROUNDS) marks[round] = await measure();
}
process.send?.({ early: marks[200], late: marks[ROUNDS] });
process.disconnect();
