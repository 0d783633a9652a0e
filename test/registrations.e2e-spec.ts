import { HttpModule, HttpService } from '@nestjs/axios';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Logger,
  Module,
  UseGuards,
  type DynamicModule,
  type OnModuleInit,
} from '@nestjs/common';
import {
  AnyValidKey,
  ApiKeyGuard,
  ApiKeyVerificationService,
  CurrentApiKey,
  KindeApiKeyModule,
  type VerifiedApiKey,
} from 'nestjs-kinde-api-key';
import { KindeEmulator } from 'nestjs-kinde-api-key/testing';
import { describeAdapters, startScenario, type Scenario } from './support/scenario.js';

@Controller('first')
@UseGuards(ApiKeyGuard)
@AnyValidKey()
class FirstController {
  @Get()
  find(@CurrentApiKey() { keyId }: VerifiedApiKey) {
    return { keyId };
  }
}

@Controller('second')
@UseGuards(ApiKeyGuard)
@AnyValidKey()
class SecondController {
  @Get()
  find(@CurrentApiKey() { keyId }: VerifiedApiKey) {
    return { keyId };
  }
}

@Module({})
class FeatureModule {
  static with(registration: DynamicModule): DynamicModule {
    return { module: FeatureModule, imports: [registration], controllers: [SecondController] };
  }
}

const seenByTheApp: unknown[] = [];

/** An app that spies on its own HTTP client. */
@Injectable()
class HostileInterceptor implements OnModuleInit {
  constructor(@Inject(HttpService) private readonly http: HttpService) {}

  onModuleInit() {
    this.http.axiosRef.interceptors.request.use((config) => {
      seenByTheApp.push(config);
      return config;
    });
    this.http.axiosRef.interceptors.response.use((response) => {
      seenByTheApp.push(response);
      return response;
    });
  }
}

describeAdapters('KindeApiKeyModule registrations', (adapter) => {
  let scenario: Scenario;
  afterEach(() => scenario.close());

  it('share nothing: a key of one Kinde domain is unknown to the other', async () => {
    const other = await KindeEmulator.start();
    scenario = await startScenario({
      adapter,
      controllers: [FirstController],
      register: (emulator) => [
        KindeApiKeyModule.forRoot({ domain: emulator.domain, ...emulator.credentials }),
        FeatureModule.with(KindeApiKeyModule.forRoot({ domain: other.domain, ...other.credentials, isGlobal: false })),
      ],
    });
    const mine = scenario.emulator.createKey();
    const theirs = other.createKey();
    expect(await scenario.get('/first', mine.key)).toMatchObject({ status: 200, body: { keyId: mine.keyId } });
    expect(await scenario.get('/second', theirs.key)).toMatchObject({ status: 200, body: { keyId: theirs.keyId } });
    expect(await scenario.get('/first', theirs.key)).toMatchObject({ status: 401 });
    expect(await scenario.get('/second', mine.key)).toMatchObject({ status: 401 });
    expect(other.counters).toMatchObject({ verifies: 2, mints: 1 });
    await other.stop();
  });

  it('log a warning when two of them use the same Kinde domain', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    scenario = await startScenario({
      adapter,
      controllers: [FirstController],
      register: (emulator) =>
        [true, false].map((isGlobal) => {
          const registration = KindeApiKeyModule.forRoot({
            domain: emulator.domain,
            ...emulator.credentials,
            isGlobal,
          });
          return isGlobal ? registration : FeatureModule.with(registration);
        }),
    });
    expect(warn.mock.calls.map(([message]) => String(message))).toEqual([
      expect.stringContaining(`a second registration asks ${scenario.emulator.domain}`),
    ]);
    warn.mockRestore();
  });

  it("keep their calls from interceptors on the app's own HttpService", async () => {
    seenByTheApp.length = 0;
    @Module({ imports: [HttpModule], providers: [HostileInterceptor] })
    class HostileModule {}
    scenario = await startScenario({
      adapter,
      controllers: [FirstController],
      imports: [HostileModule, HttpModule.register({})],
    });
    const { key } = scenario.emulator.createKey();
    expect(await scenario.get('/first', key)).toMatchObject({ status: 200 });
    const http = scenario.app.get(HostileInterceptor, { strict: false })['http'];
    expect(seenByTheApp).toEqual([]);
    await http.axiosRef.get(`${scenario.emulator.domain}/.well-known/jwks`);
    expect(seenByTheApp).not.toEqual([]);
  });

  it('take their options from a factory and its injected providers', async () => {
    @Module({ providers: [{ provide: 'DOMAIN', useFactory: () => scenarioDomain }], exports: ['DOMAIN'] })
    class SettingsModule {}
    let scenarioDomain = '';
    scenario = await startScenario({
      adapter,
      controllers: [FirstController],
      register: (emulator) => {
        scenarioDomain = emulator.domain;
        return [
          KindeApiKeyModule.forRootAsync({
            imports: [SettingsModule],
            inject: ['DOMAIN'],
            useFactory: (domain: string) => ({ domain, ...emulator.credentials }),
          }),
        ];
      },
    });
    const { keyId, key } = scenario.emulator.createKey();
    expect(await scenario.get('/first', key)).toMatchObject({ status: 200, body: { keyId } });
  });

  it('provide ApiKeyVerificationService, which verifies and invalidates keys outside of the guard', async () => {
    scenario = await startScenario({ adapter, controllers: [FirstController] });
    const service = scenario.app.get(ApiKeyVerificationService);
    const { keyId, key } = scenario.emulator.createKey();
    expect(service.verifyCached(key)).toBeUndefined();
    await expect(service.verify(key)).resolves.toMatchObject({ accepted: true, apiKey: { keyId } });
    expect(service.verifyCached(key)).toMatchObject({ accepted: true });
    scenario.emulator.revokeKey(keyId);
    await service.invalidate({ keyId });
    await expect(service.verify(key)).resolves.toEqual({ accepted: false, reason: 'revoked' });
  });
});
