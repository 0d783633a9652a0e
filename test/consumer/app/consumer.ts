import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CurrentApiKey, KindeApiKeyModule, OrgScoped, RequireScopes, type VerifiedApiKey } from 'nestjs-kinde-api-key';
import type { redisStore } from 'nestjs-kinde-api-key/redis';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';

@Controller('organizations/:orgCode/users')
@OrgScoped()
class UsersController {
  @Get()
  @RequireScopes('read:users')
  findAll(@CurrentApiKey() { orgCode }: VerifiedApiKey): { readonly of: string | null } {
    return { of: orgCode };
  }
}

/** A minimal app of a user. Also compiled against the published types. */
export async function askEverything(shared?: ReturnType<typeof redisStore>): Promise<Record<string, string>> {
  const kinde = await KindeEmulator.start();

  @Module({
    imports: [
      KindeApiKeyModule.forRoot({
        domain: kinde.domain,
        ...kinde.credentials,
        ...(shared ? { shared } : {}),
        globalGuard: true,
      }),
    ],
    controllers: [UsersController],
  })
  class AppModule {}

  const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'], abortOnError: false });
  await app.listen(0, '127.0.0.1');
  const url = `${await app.getUrl()}/organizations/org_a/users`;
  const ask = async (key: string): Promise<string> => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
    const { code } = (await response.json()) as { code?: string };
    return [response.status, ...(code ? [code] : [])].join(' ');
  };
  try {
    return {
      'a good key': await ask(kinde.createKey({ orgCode: 'org_a', scopes: ['read:users'] }).key),
      'an unknown key': await ask('k_live_unknown_to_kinde_0'),
      'no scope': await ask(kinde.createKey({ orgCode: 'org_a', scopes: [] }).key),
      'another organization': await ask(kinde.createKey({ orgCode: 'org_b', scopes: ['read:users'] }).key),
    };
  } finally {
    await app.close();
    await kinde.stop();
  }
}
