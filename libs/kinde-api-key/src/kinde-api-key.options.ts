import type { KindeApiKeyOptions } from './config/module-options.js';

export type { KindeApiKeyCacheOptions } from './config/cache-options.js';
export type { KindeConnectionOptions, KindeHttpOptions } from './config/connection-options.js';
export type { ApiKeyCredential } from './config/credential-options.js';
export type {
  ControllerClass,
  GuardClass,
  KindeApiKeyModuleExtras,
  KindeApiKeyOptions,
} from './config/module-options.js';
export type { KindeApiKeyFailedAttemptsOptions, KindeApiKeyRateLimitOptions } from './config/rate-limit-options.js';

/**
 * Injection token of the {@link KindeApiKeyOptions} as the app gave them. Override it in a test of a whole app:
 * `overrideProvider(KINDE_API_KEY_OPTIONS).useValue({ domain, clientId, clientSecret })`. The value replaces the options of every
 * registration, except for `isGlobal` and `globalGuard`. Options that it leaves out come from the environment or have a default.
 */
export const KINDE_API_KEY_OPTIONS = Symbol.for('nestjs-kinde-api-key:options');

/** A factory for the options, for `forRootAsync({ useClass })` and `forRootAsync({ useExisting })`. */
export interface KindeApiKeyOptionsFactory {
  /** @returns the options, or a promise of them; they are checked like those of `forRoot` */
  createKindeApiKeyOptions(): KindeApiKeyOptions | Promise<KindeApiKeyOptions>;
}
