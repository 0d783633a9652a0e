import { Controller, Get, UseGuards, type INestApplication } from '@nestjs/common';
import { HttpService } from '@nestjs/axios';
import { Test } from '@nestjs/testing';
import type { AxiosRequestConfig } from 'axios';
import { ApiKeyGuard, KINDE_API_KEY_HTTP, KindeApiKeyModule } from 'nestjs-kinde-api-key';
import { EMPTY, NEVER, of, throwError, type Observable } from 'rxjs';
import { send } from './support/http.js';

@Controller()
@UseGuards(ApiKeyGuard)
class AnyController {
  @Get()
  find(): string {
    return 'ok';
  }
}

const KEY = 'k_live_0123456789abcdef';
const SECRET = 'canary-client-secret';
const GOOD = { is_valid: true, key_id: 'api_key_1', status: 'active', scopes: [] };
const token = () => of({ status: 200, data: { access_token: 'opaque', expires_in: 3_600 } });
const never = () => NEVER;
const verified = () => of({ status: 200, headers: {}, data: GOOD });

type Stub = (config: AxiosRequestConfig) => Observable<unknown>;
interface Stubs {
  readonly mint?: Stub;
  readonly verify?: Stub;
  readonly timeoutMs?: number;
}

describe('overrideProvider(KINDE_API_KEY_HTTP)', () => {
  let app: INestApplication;
  afterEach(() => app.close());

  /** An app whose calls to Kinde never reach a socket. */
  async function start({ mint = token, verify = verified, timeoutMs = 60_000 }: Stubs = {}) {
    const request = jest.fn<Observable<unknown>, [AxiosRequestConfig]>((config) =>
      config.url?.endsWith('/oauth2/token') ? mint(config) : verify(config),
    );
    const registration = KindeApiKeyModule.forRoot({
      domain: 'acme',
      clientId: 'client',
      clientSecret: SECRET,
      kinde: { timeoutMs, retries: 0 },
    });
    const testing = await Test.createTestingModule({ imports: [registration], controllers: [AnyController] })
      .overrideProvider(KINDE_API_KEY_HTTP)
      .useValue({ request })
      .compile();
    app = testing.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    return { request, get: () => send(`${url}/`, { headers: { authorization: `Bearer ${KEY}` } }) };
  }

  it('stubs the token and the verify call with plain objects', async () => {
    const { get, request } = await start();
    expect(await get()).toMatchObject({ status: 200 });
    expect(request.mock.calls.map(([{ method, url }]) => `${method} ${url}`)).toEqual([
      'POST https://acme.kinde.com/oauth2/token',
      'POST https://acme.kinde.com/api/v1/api_keys/verify',
    ]);
  });

  it('stubs a refused key: 401 INVALID_KEY', async () => {
    const { get } = await start({ verify: () => of({ status: 200, data: { is_valid: false } }) });
    expect(await get()).toMatchObject({ status: 401, body: { code: 'INVALID_KEY' } });
  });

  it('stubs rejected credentials: 503 VERIFICATION_MISCONFIGURED', async () => {
    const { get } = await start({ mint: () => of({ status: 401, data: { error: 'invalid_client' } }) });
    expect(await get()).toMatchObject({ status: 503, body: { code: 'VERIFICATION_MISCONFIGURED' } });
  });

  it.each<[string, Stub]>([
    ['emits nothing', () => EMPTY],
    ['never emits', never],
    ['fails', ({ data }) => throwError(() => new Error(`refused ${String(data)}`))],
    ['emits an answer without a status', () => of({})],
    ['emits a redirect', () => of({ status: 302, headers: { location: 'https://elsewhere.test' }, data: '' })],
    [
      'throws',
      ({ data }) => {
        throw new Error(`thrown ${String(data)}`);
      },
    ],
  ])('answers 503 VERIFICATION_UNAVAILABLE for each call if the stub %s', async (_what, stub) => {
    for (const stubs of [{ mint: stub }, { verify: stub }]) {
      const { get } = await start(stub === never ? { ...stubs, timeoutMs: 500 } : stubs);
      const answer = await get();
      expect(answer).toMatchObject({ status: 503, body: { code: 'VERIFICATION_UNAVAILABLE' } });
      expect(JSON.stringify(answer)).not.toMatch(new RegExp(`${SECRET}|${KEY}`));
      if ('mint' in stubs) await app.close();
    }
  });

  it('replaces a provider that app.get(HttpService) does not find', async () => {
    await start();
    expect(() => app.get(HttpService, { strict: false })).toThrow('could not find HttpService');
    expect(app.get<object>(KINDE_API_KEY_HTTP)).toHaveProperty('request');
  });
});

describe('KINDE_API_KEY_HTTP', () => {
  it('is an HttpService of its own for each registration', async () => {
    const registrations = [true, false].map((isGlobal) =>
      KindeApiKeyModule.forRoot({ domain: 'acme', clientId: `${isGlobal}`, clientSecret: SECRET, isGlobal }),
    );
    const testing = await Test.createTestingModule({ imports: registrations }).compile();
    const services: HttpService[] = testing.get(KINDE_API_KEY_HTTP, { strict: false, each: true });
    expect(services).toHaveLength(2);
    expect(services.every((service) => service instanceof HttpService)).toBe(true);
    expect(services[0]?.axiosRef).not.toBe(services[1]?.axiosRef);
    await testing.close();
  });
});
