import 'reflect-metadata';
import { Controller, Get, Module, type NestApplicationOptions } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import {
  AnyValidKey,
  CurrentApiKey,
  KindeApiKeyModule,
  OrgScoped,
  RequireScopes,
  type VerifiedApiKey,
} from 'nestjs-kinde-api-key';
import { documentApiKeys } from 'nestjs-kinde-api-key/openapi';
import type { KindeApiKeyTelemetry } from 'nestjs-kinde-api-key/opentelemetry';
import type { redisStore } from 'nestjs-kinde-api-key/redis';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import type { kindeAccessTokens, KindeAccessTokensOptions } from 'nestjs-kinde-api-key/tokens';

@Controller('organizations/:orgCode/users')
@OrgScoped()
class UsersController {
  @Get()
  @RequireScopes('read:users')
  findAll(@CurrentApiKey() { orgCode }: VerifiedApiKey): { readonly of: string | null } {
    return { of: orgCode };
  }
}

class Crud {
  @Get()
  @AnyValidKey()
  list(): string {
    return 'reports';
  }
}

@Controller('organizations/:orgCode/reports')
@OrgScoped()
@RequireScopes('admin')
class ReportsController {}

// The handbook's mixin copies `constructor`, too, so that Nest tells the guard the class Crud.
for (const name of Object.getOwnPropertyNames(Crud.prototype))
  Object.defineProperty(
    ReportsController.prototype,
    name,
    Object.getOwnPropertyDescriptor(Crud.prototype, name) as PropertyDescriptor,
  );

/** Compiled only: this app runs without jose. */
export type AccessTokens = (options: KindeAccessTokensOptions) => ReturnType<typeof kindeAccessTokens>;

/** Compiled only, like the above: this app runs without OpenTelemetry. */
export type Telemetry = KindeApiKeyTelemetry;

/** A minimal app of a user. Also compiled against the published types. */
export async function askEverything(
  adapter?: AbstractHttpAdapter,
  shared?: ReturnType<typeof redisStore>,
): Promise<Record<string, string>> {
  const kinde = await KindeEmulator.start({ apis: [{ name: 'API', scopes: ['read:users', 'admin'] }] });

  @Module({
    imports: [
      KindeApiKeyModule.forRoot({
        domain: kinde.domain,
        ...kinde.credentials,
        ...(shared ? { shared } : {}),
        globalGuard: true,
      }),
    ],
    controllers: [UsersController, ReportsController],
  })
  class AppModule {}

  const options: NestApplicationOptions = { logger: ['warn', 'error'], abortOnError: false };
  const app = await (adapter
    ? NestFactory.create(AppModule, adapter, options)
    : NestFactory.create(AppModule, options));
  documentApiKeys(app, { openapi: '3.1.0', paths: {} });
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/organizations/org_a`;
  const ask = async (key: string, path = 'users'): Promise<string> => {
    const response = await fetch(`${url}/${path}`, { headers: { authorization: `Bearer ${key}` } });
    const { code } = (await response.json()) as { code?: string };
    return [response.status, ...(code ? [code] : [])].join(' ');
  };
  try {
    return {
      'a good key': await ask(kinde.createKey({ orgCode: 'org_a', scopes: ['read:users'] }).key),
      'an unknown key': await ask('k_live_unknown_to_kinde_0'),
      'no scope': await ask(kinde.createKey({ orgCode: 'org_a', scopes: [] }).key),
      'a mixin, no scope': await ask(kinde.createKey({ orgCode: 'org_a', scopes: [] }).key, 'reports'),
      'another organization': await ask(kinde.createKey({ orgCode: 'org_b', scopes: ['read:users'] }).key),
    };
  } finally {
    await app.close();
    await kinde.stop();
  }
}
