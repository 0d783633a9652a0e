// Runs an app with a subscriber of the decision channel that throws, and tells what the request got and what the process got.
import 'reflect-metadata';
import { channel } from 'node:diagnostics_channel';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AnyValidKey, KindeApiKeyModule } from 'nestjs-kinde-api-key';

@Controller()
class AnyController {
  @Get()
  @AnyValidKey()
  find(): string {
    return 'ok';
  }
}

@Module({ imports: [KindeApiKeyModule.forRoot({ globalGuard: true })], controllers: [AnyController] })
class AppModule {}

const uncaught: string[] = [];
process.on('uncaughtException', (error) => uncaught.push(error.message));
const later: unknown[] = [];
channel('nestjs-kinde-api-key:decision').subscribe(() => {
  throw new Error('subscriber');
});
channel('nestjs-kinde-api-key:decision').subscribe((decision) => later.push(decision));

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();
const headers = { authorization: `Bearer ${process.env.GOOD_KEY}` };
const statuses = [(await fetch(url, { headers })).status, (await fetch(url)).status];
await app.close();
process.send?.({ told: { statuses, uncaught, later: later.length } });
process.on('disconnect', () => process.exit());
