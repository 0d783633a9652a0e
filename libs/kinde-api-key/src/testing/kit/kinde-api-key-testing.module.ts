import { type DynamicModule, type FactoryProvider, Inject, Module } from '@nestjs/common';
import { throwError } from 'rxjs';
import { type Clock, KINDE_API_KEY_CLOCK } from '../../clock.js';
import { type ResolvedOptions, resolveOptions } from '../../config/resolved-options.js';
import { KindeApiKeyModule } from '../../kinde-api-key.module.js';
import {
  KINDE_API_KEY_OPTIONS,
  type KindeApiKeyModuleExtras,
  type KindeApiKeyOptions,
} from '../../kinde-api-key.options.js';
import { RESOLVED_OPTIONS } from '../../kinde-api-key.providers.js';
import { KINDE_API_KEY_HTTP } from '../../kinde/axios-http.js';
import { KeyVerifier } from '../../kinde/key-verifier.js';
import type { KindeEmulatorKeyOptions } from '../emulator/key-store.js';
import { InMemoryKinde } from './in-memory-kinde.js';

/** Used instead of the environment. Nothing is called there. */
const ENVIRONMENT = {
  KINDE_DOMAIN: 'http://127.0.0.1:9',
  KINDE_MANAGEMENT_CLIENT_ID: 'test',
  KINDE_MANAGEMENT_CLIENT_SECRET: 'test',
};

/** The part of Nest's `TestingModuleBuilder` that {@link KindeApiKeyTestingModule.replaceKinde} uses. */
export interface KindeApiKeyOverridable {
  overrideProvider(token: unknown): {
    useFactory(options: { factory: (...args: never[]) => unknown; inject?: unknown[] }): unknown;
  };
}

/**
 * Stands in for `KindeApiKeyModule` in tests: the guard, the boot check and every rule are the real ones, and the keys are in memory. It opens no
 * socket, starts no timer and does not read the environment. Keys are not cached unless the option `cache` is given, so that a revoked one is
 * refused at its next request.
 */
@Module({})
export class KindeApiKeyTestingModule {
  readonly #kinde: InMemoryKinde;

  /** @internal */
  constructor(@Inject(InMemoryKinde) kinde: InMemoryKinde) {
    this.#kinde = kinde;
  }

  /**
   * @param options those of `KindeApiKeyModule.forRoot()`; none is required
   * @returns the module to import, with the methods of this class
   */
  static forRoot(options: KindeApiKeyOptions & KindeApiKeyModuleExtras = {}): DynamicModule & KindeApiKeyTestingModule {
    const kinde = new InMemoryKinde();
    const registration = KindeApiKeyModule.forRoot(options);
    return Object.assign(new KindeApiKeyTestingModule(kinde), {
      module: KindeApiKeyTestingModule,
      imports: [{ ...registration, providers: [...(registration.providers ?? []), ...replacements(kinde)] }],
      providers: [{ provide: InMemoryKinde, useValue: kinde }],
      exports: [KindeApiKeyModule],
    });
  }

  /**
   * Replaces Kinde in a test of a whole app: every `KindeApiKeyModule` of the app keeps its options and accepts the keys that are created here.
   *
   * @param builder what `Test.createTestingModule()` returned, before `compile()`
   */
  static replaceKinde(builder: KindeApiKeyOverridable): KindeApiKeyTestingModule {
    const kinde = new InMemoryKinde();
    for (const { provide, useFactory, inject } of replacements(kinde))
      builder.overrideProvider(provide).useFactory({ factory: useFactory, inject });
    return new KindeApiKeyTestingModule(kinde);
  }

  /**
   * Creates an API key, e.g. `createKey({ scopes: ['read:users'], orgCode: 'org_acme' })`, and returns the raw key.
   *
   * @throws {TypeError} If an option is unknown or not valid, or the key or its id exists already.
   */
  createKey(options: KindeEmulatorKeyOptions = {}): string {
    return this.#kinde.createKey(options);
  }

  /** Revokes a key. @param key the raw key or its key id. @throws {TypeError} If it is unknown. */
  revokeKey(key: string): void {
    this.#kinde.revokeKey(key);
  }

  /** Makes every verification fail as in an outage of Kinde, with 503, until it is called with `false`. */
  setUnavailable(isUnavailable: boolean): void {
    this.#kinde.isUnavailable = isUnavailable;
  }
}

/** The providers of a registration that would read the environment or call Kinde. */
function replacements(kinde: InMemoryKinde): (FactoryProvider & { readonly inject: unknown[] })[] {
  return [
    {
      provide: RESOLVED_OPTIONS,
      useFactory: (options: KindeApiKeyOptions) => {
        const resolved = { ...resolveOptions(options, ENVIRONMENT), verifyAtBoot: false as const };
        return options?.cache === undefined ? { ...resolved, cache: null } : resolved;
      },
      inject: [KINDE_API_KEY_OPTIONS],
    },
    {
      provide: KeyVerifier,
      useFactory: (options: ResolvedOptions, clock: Clock) => kinde.verifierFor(options.kinde.apiId, clock),
      inject: [RESOLVED_OPTIONS, KINDE_API_KEY_CLOCK],
    },
    {
      provide: KINDE_API_KEY_HTTP,
      useFactory: () => ({
        request: () => throwError(() => new Error('KindeApiKeyTestingModule calls no server: use KindeEmulator')),
      }),
      inject: [],
    },
  ];
}
