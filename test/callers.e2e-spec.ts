import type { INestApplication, Type } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import cookieSession from 'cookie-session';
import { KINDE_API_KEY_OPTIONS } from 'nestjs-kinde-api-key';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { send } from './support/http.js';
import { runRecipe, type RecipeName } from './support/recipes.js';
import { ADAPTERS, type Adapter } from './support/scenario.js';

const SECRET = 'only for this example';
const USER = { sub: 'u1', org: 'org_acme', scopes: ['read:reports'] };

const jwt = new JwtService({ secret: SECRET });
const tokenOf = (user: object) => jwt.sign(user, { expiresIn: '1h' });

let emulator: KindeEmulator;
let app: INestApplication;
let key: string;

beforeAll(async () => {
  emulator = await KindeEmulator.start();
  ({ key } = emulator.createKey({ scopes: ['read:reports'], orgCode: 'org_acme' }));
});
afterAll(() => emulator.stop());
afterEach(() => app.close());

async function start(name: RecipeName, adapter: Adapter): Promise<void> {
  const { AppModule } = runRecipe(name) as { AppModule: Type };
  const testing = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(KINDE_API_KEY_OPTIONS)
    .useFactory({ factory: () => ({ ...optionsOf(AppModule), domain: emulator.domain, ...emulator.credentials }) })
    .compile();
  app = testing.createNestApplication(adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter(), {
    logger: false,
  });
  await app.listen(0, '127.0.0.1');
}

/** Returns the options that a recipe gave to its registration: an override replaces them all. */
function optionsOf(appModule: Type): object {
  const imports = Reflect.getMetadata('imports', appModule) as {
    providers?: { provide: unknown; useValue: object }[];
  }[];
  const providers = imports.flatMap((one) => one.providers ?? []);
  return providers.find(({ provide }) => provide === KINDE_API_KEY_OPTIONS)?.useValue ?? {};
}

async function get(path: string, headers: Record<string, string> = {}): Promise<string> {
  const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  const { status, body } = await send(`${url}${path}`, { headers });
  const { code, for: reader } = body as { code?: string; for?: string };
  return [status, code ?? reader].join(' ').trim();
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const REPORTS = '/organizations/org_acme/reports';
const FOREIGN = '/organizations/org_globex/reports';

/** Asks both routes of an app with two guards. */
async function sideBySide(person: Record<string, string>) {
  return {
    'key on its route': await get(REPORTS, bearer(key)),
    'key, other organization': await get(FOREIGN, bearer(key)),
    'person on the route of keys': await get(REPORTS, person),
    'person on its route': await get('/dashboard', person),
    'key on the route of people': await get('/dashboard', bearer(key)),
    nothing: [await get(REPORTS), await get('/dashboard')],
  };
}

const SIDE_BY_SIDE = {
  'key on its route': '200 api_key',
  'key, other organization': '403 ORG_MISMATCH',
  'person on its route': '200 people',
  'key on the route of people': '401',
  nothing: ['401 MISSING_KEY', '401'],
};

describe.each(ADAPTERS)('a recipe on %s', (adapter) => {
  it('with @nestjs/jwt keeps every rule for keys and JWTs on one route', async () => {
    await start('jwt', adapter);
    const answers = {
      key: await get(REPORTS, bearer(key)),
      'key, other organization': await get(FOREIGN, bearer(key)),
      JWT: await get(REPORTS, bearer(tokenOf(USER))),
      'JWT, other organization': await get(FOREIGN, bearer(tokenOf(USER))),
      'JWT without the scope': await get(REPORTS, bearer(tokenOf({ ...USER, scopes: [] }))),
      'JWT where a key is demanded': await get(`${REPORTS}/export`, bearer(tokenOf(USER))),
      'key where a key is demanded': await get(`${REPORTS}/export`, bearer(key)),
      'forged JWT': await get(REPORTS, bearer(new JwtService({ secret: 'another' }).sign(USER))),
      'expired JWT': await get(REPORTS, bearer(jwt.sign(USER, { expiresIn: -10 }))),
      nothing: await get(REPORTS),
    };
    expect(answers).toEqual({
      key: '200 api_key',
      'key, other organization': '403 ORG_MISMATCH',
      JWT: '200 user',
      'JWT, other organization': '403 ORG_MISMATCH',
      'JWT without the scope': '403 INSUFFICIENT_SCOPE',
      'JWT where a key is demanded': '403 KEY_REQUIRED',
      'key where a key is demanded': '200 machines',
      'forged JWT': '401',
      'expired JWT': '401',
      nothing: '401 MISSING_KEY',
    });
  });

  it.each([
    ['two guards side by side', 'side-by-side'],
    ["Passport's guard beside ApiKeyGuard", 'side-by-side-passport'],
  ] as const)('with %s keeps keys and people on their own routes', async (_what, name) => {
    await start(name, adapter);
    expect(await sideBySide(bearer(tokenOf(USER)))).toEqual({
      ...SIDE_BY_SIDE,
      'person on the route of keys': '401 WRONG_CREDENTIAL_TYPE',
    });
  });

  it('with Passport keeps every rule for keys and JWTs on one route', async () => {
    await start('passport', adapter);
    const answers = {
      key: await get(REPORTS, bearer(key)),
      'key, other organization': await get(FOREIGN, bearer(key)),
      JWT: await get(REPORTS, bearer(tokenOf(USER))),
      'JWT, other organization': await get(FOREIGN, bearer(tokenOf(USER))),
      'JWT without the scope': await get(REPORTS, bearer(tokenOf({ ...USER, scopes: [] }))),
      'forged JWT': await get(REPORTS, bearer(new JwtService({ secret: 'another' }).sign(USER))),
      nothing: await get(REPORTS),
    };
    expect(answers).toEqual({
      key: '200 api_key',
      'key, other organization': '403 ORG_MISMATCH',
      JWT: '200 user',
      'JWT, other organization': '403 ORG_MISMATCH',
      'JWT without the scope': '403 INSUFFICIENT_SCOPE',
      'forged JWT': '401 WRONG_CREDENTIAL_TYPE',
      nothing: '401 MISSING_KEY',
    });
  });
});

describe('a recipe on express', () => {
  it('with a session guard beside ApiKeyGuard keeps keys and people on their own routes', async () => {
    await start('side-by-side-session', 'express');
    const person = { cookie: await sessionCookie({ user: { id: 'u1' } }) };
    expect(await sideBySide(person)).toEqual({ ...SIDE_BY_SIDE, 'person on the route of keys': '401 MISSING_KEY' });
  });

  it('with a session keeps every rule for keys and sessions on one route', async () => {
    await start('session', 'express');
    const user = { id: 'u1', org: 'org_acme', scopes: ['read:reports'] };
    const cookie = await sessionCookie({ user });
    const answers = {
      key: await get(REPORTS, bearer(key)),
      session: await get(REPORTS, { cookie }),
      'session, other organization': await get(FOREIGN, { cookie }),
      'session without the scope': await get(REPORTS, {
        cookie: await sessionCookie({ user: { ...user, scopes: [] } }),
      }),
      'forged session': await get(REPORTS, { cookie: cookie.replace(/.$/, '') }),
      'session beside a bad key': await get(REPORTS, { cookie, ...bearer('k_live_unknown_to_kinde_0') }),
      nothing: await get(REPORTS),
    };
    expect(answers).toEqual({
      key: '200 api_key',
      session: '200 session',
      'session, other organization': '403 ORG_MISMATCH',
      'session without the scope': '403 INSUFFICIENT_SCOPE',
      'forged session': '401 MISSING_KEY',
      'session beside a bad key': '401 INVALID_KEY',
      nothing: '401 MISSING_KEY',
    });
  });
});

/** Returns the `Cookie` header of a session, signed by the middleware itself. */
async function sessionCookie(session: object): Promise<string> {
  const middleware = cookieSession({ name: 'session', keys: [SECRET], sameSite: 'strict' });
  const server = createServer((request, response) =>
    middleware(request as never, response as never, () => {
      Object.assign((request as unknown as { session: object }).session, session);
      response.end();
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { headers } = await send(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {});
  await new Promise((resolve) => server.close(resolve));
  return ([headers['set-cookie']].flat() as string[]).map((one) => one.split(';')[0]).join('; ');
}
