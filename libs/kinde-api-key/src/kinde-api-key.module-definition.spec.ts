import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { KINDE_API_KEY_EXTRAS } from './kinde-api-key.module-definition.js';
import { KindeApiKeyConfigurationError } from './kinde-api-key.errors.js';
import { KindeApiKeyModule } from './kinde-api-key.module.js';
import { KINDE_API_KEY_OPTIONS } from './kinde-api-key.options.js';

class HealthController {}

const VARIABLES = ['KINDE_DOMAIN', 'KINDE_MANAGEMENT_CLIENT_ID', 'KINDE_MANAGEMENT_CLIENT_SECRET'];
const CREDENTIALS = { domain: 'acme', clientId: 'client', clientSecret: 'secret' };

describe('the extras of forRoot() and forRootAsync()', () => {
  it.each([
    { globalGuard: null },
    { globalGuard: 'true' },
    { globalGuard: {} },
    { globalGuard: { publicControllers: 'HealthController' } },
    { globalGuard: { publicControllers: ['HealthController'] } },
    { globalGuard: { publicControllers: [HealthController], other: true } },
    { isGlobal: 'yes' },
    { isGlobal: null },
  ])('are rejected at the call: %p', (extras) => {
    expect(() => KindeApiKeyModule.forRoot(extras as never)).toThrow(KindeApiKeyConfigurationError);
    expect(() => KindeApiKeyModule.forRootAsync({ useFactory: () => ({}), ...(extras as object) } as never)).toThrow(
      KindeApiKeyConfigurationError,
    );
  });

  it('are rejected with every problem at once', () => {
    expect(() => KindeApiKeyModule.forRoot({ isGlobal: 'true', globalGuard: 1 } as never)).toThrow(
      [
        'KindeApiKeyModule cannot start with these options:',
        '  - isGlobal must be true or false',
        '  - globalGuard must be true, false or { publicControllers: [Class, ...] }',
      ].join('\n'),
    );
  });

  it('make the module global without a global guard by default', () => {
    expect(KindeApiKeyModule.forRoot()).toMatchObject({ global: true });
    expect(KindeApiKeyModule.forRoot({ isGlobal: false })).toMatchObject({ global: false });
    expect(KindeApiKeyModule.forRoot({ globalGuard: { publicControllers: [HealthController] } })).toMatchObject({
      global: true,
    });
  });

  it('are provided without the options beside them', () => {
    expect(KindeApiKeyModule.forRoot({ ...CREDENTIALS, globalGuard: true }).providers).toContainEqual({
      provide: KINDE_API_KEY_EXTRAS,
      useValue: { isGlobal: true, globalGuard: true },
    });
  });
});

describe('KINDE_API_KEY_OPTIONS', () => {
  const original = { ...process.env };
  beforeEach(() => VARIABLES.forEach((variable) => delete process.env[variable]));
  afterEach(() => {
    process.env = { ...original };
  });

  it('is the same symbol in every copy of the package', () => {
    expect(KINDE_API_KEY_OPTIONS).toBe(Symbol.for('nestjs-kinde-api-key:options'));
  });

  it.each([
    ['forRoot() without an environment', KindeApiKeyModule.forRoot()],
    ['forRoot() with other options', KindeApiKeyModule.forRoot({ domain: 'auth.acme.com', realm: '"' })],
    [
      'a forRootAsync() whose factory throws',
      KindeApiKeyModule.forRootAsync({
        useFactory: () => {
          throw new Error('the factory ran');
        },
      }),
    ],
  ])('replaces the options of a whole app in a test: %s', async (_name, registration) => {
    @Module({ imports: [registration] })
    class AppModule {}
    const app = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(KINDE_API_KEY_OPTIONS)
      .useValue(CREDENTIALS)
      .compile();
    expect(app.get(KINDE_API_KEY_OPTIONS, { strict: false })).toBe(CREDENTIALS);
    await app.close();
  });

  it('checks the options that a test provides', async () => {
    const compiling = Test.createTestingModule({ imports: [KindeApiKeyModule.forRoot()] })
      .overrideProvider(KINDE_API_KEY_OPTIONS)
      .useValue({ ...CREDENTIALS, realm: '"' })
      .compile();
    await expect(compiling).rejects.toThrow('realm must be printable ASCII');
  });

  it('reads the environment when the provider is made, not at import or forRoot()', async () => {
    const registration = KindeApiKeyModule.forRoot();
    for (const variable of VARIABLES) process.env[variable] = 'acme';
    const app = await Test.createTestingModule({ imports: [registration] }).compile();
    await app.close();
    delete process.env.KINDE_DOMAIN;
    await expect(Test.createTestingModule({ imports: [registration] }).compile()).rejects.toThrow('domain is missing');
  });
});
