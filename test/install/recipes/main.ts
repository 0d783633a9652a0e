// Starts the app of each recipe of the page on callers, and prints what it answers to keys, to people and to nobody.
import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { NestFactory } from '@nestjs/core';
import cookieSession from 'cookie-session';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';

const SECRET = 'only for this example';
const USER = { sub: 'u1', id: 'u1', org: 'org_acme', scopes: ['read:reports'] };

async function main(): Promise<void> {
  const emulator = await KindeEmulator.start();
  const { clientId, clientSecret } = emulator.credentials;
  Object.assign(process.env, {
    KINDE_DOMAIN: emulator.domain,
    KINDE_MANAGEMENT_CLIENT_ID: clientId,
    KINDE_MANAGEMENT_CLIENT_SECRET: clientSecret,
  });
  const { key } = emulator.createKey({ scopes: ['read:reports'], orgCode: 'org_acme' });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const jwt = bearer(new JwtService({ secret: SECRET }).sign({ ...USER }));
  const session = { cookie: await sessionCookie() };
  const people: Record<string, Record<string, string>> = {
    jwt,
    passport: jwt,
    session,
    'side-by-side': jwt,
    'side-by-side-passport': jwt,
    'side-by-side-session': session,
  };
  const answers: Record<string, string[]> = {};
  for (const [name, person] of Object.entries(people)) {
    const { AppModule } = (await import(`./${name}.js`)) as { AppModule: Type };
    const app = await NestFactory.create(AppModule, { logger: false });
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
    answers[name] = [];
    for (const headers of [bearer(key), person, {}])
      for (const organization of ['org_acme', 'org_globex']) {
        const url = `http://127.0.0.1:${port}/organizations/${organization}/reports`;
        const response = await fetch(url, { headers });
        const { code, for: reader } = (await response.json()) as { code?: string; for?: string };
        answers[name].push(`${response.status} ${code ?? reader}`);
      }
    await app.close();
  }
  await emulator.stop();
  console.log(JSON.stringify(answers));
}

/** Returns the `Cookie` header of a session, signed by the middleware itself. */
async function sessionCookie(): Promise<string> {
  const middleware = cookieSession({ name: 'session', keys: [SECRET], sameSite: 'strict' });
  const server = createServer((request, response) =>
    middleware(request as never, response as never, () => {
      Object.assign((request as unknown as { session: object }).session, { user: USER });
      response.end();
    }),
  );
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { headers } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await new Promise((resolve) => server.close(resolve));
  return headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
}

void main();
