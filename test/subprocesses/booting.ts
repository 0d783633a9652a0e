// Starts an app whose Kinde cannot be reached. Nothing but the start keeps the process alive meanwhile.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { KindeApiKeyModule } from 'nestjs-kinde-api-key';

@Module({
  imports: [KindeApiKeyModule.forRoot({ domain: 'http://127.0.0.1:9', clientId: 'id', clientSecret: 'secret' })],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
process.send?.({ booted: true });
await app.close();
