// Runs an app with every log level on, and lets an error crash the process at the end. The test reads the output.
import 'reflect-metadata';
import { Controller, Get, Inject, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApiKeyGuard, ApiKeyVerificationService, KindeApiKeyModule, PublicRoute } from 'nestjs-kinde-api-key';

const { GOOD_KEY = '' } = process.env;

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  constructor(@Inject(ApiKeyVerificationService) private readonly keys: ApiKeyVerificationService) {}

  @Get()
  find(): string {
    return 'ok';
  }

  @Get('unhandled')
  @PublicRoute()
  unhandled(): Promise<unknown> {
    return this.keys.verify(GOOD_KEY);
  }
}

// The credentials come from the environment, as in most apps.
@Module({
  imports: [KindeApiKeyModule.forRoot({ onDecision: (decision) => console.log(decision) })],
  controllers: [AnyController],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['log', 'error', 'warn', 'debug', 'verbose', 'fatal'] });
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();
const service = app.get(ApiKeyVerificationService);
const nextMessage = (): Promise<unknown> => new Promise((resolve) => process.once('message', resolve));

for (;;) {
  process.send?.({ ready: true });
  if ((await nextMessage()) === 'crash') break;
  for (const path of ['/', '/unhandled']) {
    for (const authorization of [`Bearer ${GOOD_KEY}`, GOOD_KEY, `Basic ${btoa(GOOD_KEY)}`]) {
      const response = await fetch(url + path, { headers: { authorization } });
      console.log(response.status, await response.text());
    }
  }
  await service.invalidateAll();
  console.log(await service.verify(GOOD_KEY).catch((error: unknown) => error));
  console.dir([service, app.get(ApiKeyGuard), app.get(KindeApiKeyModule)], { depth: null, showHidden: true });
}
void service.verify(GOOD_KEY);
