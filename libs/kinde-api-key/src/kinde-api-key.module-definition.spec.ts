import { KindeApiKeyConfigurationError } from './kinde-api-key.errors.js';
import { KindeApiKeyModule } from './kinde-api-key.module.js';

class HealthController {}

describe('the extras of forRoot()', () => {
  it.each([
    { globalGuard: null },
    { globalGuard: 'true' },
    { globalGuard: {} },
    { globalGuard: { publicControllers: 'HealthController' } },
    { globalGuard: { publicControllers: ['HealthController'] } },
    { globalGuard: { publicControllers: [HealthController], other: true } },
    { isGlobal: 'yes' },
    { isGlobal: null },
  ])('are refused at the call: %p', (extras) => {
    expect(() => KindeApiKeyModule.forRoot(extras as never)).toThrow(KindeApiKeyConfigurationError);
    expect(() => KindeApiKeyModule.forRootAsync({ useFactory: () => ({}), ...(extras as object) } as never)).toThrow(
      KindeApiKeyConfigurationError,
    );
  });

  it('are global and without a global guard unless they say else', () => {
    expect(KindeApiKeyModule.forRoot()).toMatchObject({ global: true });
    expect(KindeApiKeyModule.forRoot({ isGlobal: false })).toMatchObject({ global: false });
    expect(KindeApiKeyModule.forRoot({ globalGuard: { publicControllers: [HealthController] } })).toMatchObject({
      global: true,
    });
  });
});
