// A script without a server that asks for keys and verifies one, while Kinde cannot be reached. Nothing but the calls keeps the process alive.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApiKeysService, ApiKeyVerificationService, KindeApiKeyModule } from 'nestjs-kinde-api-key';

@Module({
  imports: [KindeApiKeyModule.forRoot({ domain: 'http://127.0.0.1:9', clientId: 'id', clientSecret: 'secret' })],
})
class ScriptModule {}

const app = await NestFactory.createApplicationContext(ScriptModule, { logger: false });
const codeOf = (error: unknown) => (error as { code?: string }).code;
process.channel?.unref();
const listed = await app.get(ApiKeysService).get('api_key_1').catch(codeOf);
const verified = await app.get(ApiKeyVerificationService).verify('k_live_0123456789abcdef').catch(codeOf);
process.send?.({ codes: [listed, verified] });
await app.close();
