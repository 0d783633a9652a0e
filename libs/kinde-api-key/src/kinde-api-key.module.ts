import {
  Inject,
  Logger,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { BootCheck } from './audit/boot-check.js';
import { KINDE_API_KEY_CLOCK, SystemClock, type Clock } from './clock.js';
import { ApiKeyGuard } from './guard/api-key.guard.js';
import { CredentialReader } from './guard/credential-reader.js';
import { FailedAttempts } from './guard/failed-attempts.js';
import { DecisionReporter } from './guard/decision-reporter.js';
import { RefusalFactory } from './responses/refusal-factory.js';
import { KINDE_API_KEY_REGISTRATION, type Registration } from './guard/registration.js';
import { ResolverBinding } from './rules/resolver-binding.js';
import { RouteRuleRegistry } from './rules/route-rule-registry.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  KINDE_API_KEY_EXTRAS,
  MODULE_OPTIONS_TOKEN,
  OPTIONS_TYPE,
} from './kinde-api-key.module-definition.js';
import type { KindeApiKeyModuleExtras, KindeApiKeyOptions } from './kinde-api-key.options.js';
import { SharedState } from './shared/shared-state.js';
import { AxiosKindeHttp, unsharedHttpService } from './kinde/axios-http.js';
import { KeyVerifier } from './kinde/key-verifier.js';
import type { RateLimitStore } from './rate-limit/rate-limit-store.js';
import { RateLimiter } from './rate-limit/rate-limiter.js';
import { SlidingWindow } from './rate-limit/sliding-window.js';
import { resolveOptions, type ResolvedOptions } from './config/resolved-options.js';
import { ApiKeyVerificationService } from './verification/api-key-verification.service.js';

const RESOLVED_OPTIONS = Symbol.for('nestjs-kinde-api-key:resolved-options');
/** What is shared with the other instances, or `null`. */
const FLEET = Symbol.for('nestjs-kinde-api-key:fleet');
const LOGGER = Symbol.for('nestjs-kinde-api-key:logger');

function publicControllersOf({ globalGuard }: KindeApiKeyModuleExtras): ReadonlySet<unknown> {
  return new Set(typeof globalGuard === 'object' ? globalGuard.publicControllers : []);
}

/**
 * Lets an API accept the API keys that its customers create in Kinde. Import `KindeApiKeyModule.forRoot()` once, in the root module; it
 * provides {@link ApiKeyGuard} and {@link ApiKeyVerificationService} to every module.
 */
@Module({
  providers: [
    { provide: LOGGER, useFactory: () => new Logger('KindeApiKeyModule') },
    { provide: KINDE_API_KEY_CLOCK, useClass: SystemClock },
    {
      provide: RESOLVED_OPTIONS,
      useFactory: (options: KindeApiKeyOptions) => resolveOptions(options, process.env),
      inject: [MODULE_OPTIONS_TOKEN],
    },
    {
      provide: FLEET,
      useFactory: (options: ResolvedOptions, clock: Clock, log: Logger) => fleetOf(options, clock, log),
      inject: [RESOLVED_OPTIONS, KINDE_API_KEY_CLOCK, LOGGER],
    },
    {
      provide: KeyVerifier,
      useFactory: ({ kinde, http }: ResolvedOptions, clock: Clock, log: Logger, fleet: SharedState | null) =>
        new KeyVerifier(
          new AxiosKindeHttp(unsharedHttpService(), http),
          kinde,
          clock,
          log,
          fleet?.shareToken.bind(fleet),
        ),
      inject: [RESOLVED_OPTIONS, KINDE_API_KEY_CLOCK, LOGGER, FLEET],
    },
    {
      provide: ApiKeyVerificationService,
      useFactory: (client: KeyVerifier, { cache }: ResolvedOptions, clock: Clock, fleet: SharedState | null) =>
        new ApiKeyVerificationService(client, cache, clock, fleet?.verdicts),
      inject: [KeyVerifier, RESOLVED_OPTIONS, KINDE_API_KEY_CLOCK, FLEET],
    },
    {
      provide: KINDE_API_KEY_REGISTRATION,
      useFactory: (
        { guard, kinde, rateLimit }: ResolvedOptions,
        extras: KindeApiKeyModuleExtras,
        verification: ApiKeyVerificationService,
        modules: ModulesContainer,
        clock: Clock,
        log: Logger,
        fleet: SharedState | null,
      ): Registration => ({
        id: Symbol('registration'),
        kinde: [kinde.origin, `as ${kinde.clientId}`, kinde.apiId && `for ${kinde.apiId}`].filter(Boolean).join(' '),
        rules: new RouteRuleRegistry(
          { orgParam: guard.orgParam, publicControllers: publicControllersOf(extras), rateLimit },
          new ResolverBinding(modules),
        ),
        credentials: new CredentialReader(guard.credentials, guard.keyPrefixes),
        verification,
        refusals: new RefusalFactory(guard),
        failedAttempts: guard.failedAttempts && new FailedAttempts(guard.failedAttempts, clock),
        rateLimiter: new RateLimiter(rateLimitStoreOf(fleet, clock), log),
        decisions: guard.onDecision && new DecisionReporter(guard.onDecision, log),
        log,
      }),
      inject: [
        RESOLVED_OPTIONS,
        KINDE_API_KEY_EXTRAS,
        ApiKeyVerificationService,
        ModulesContainer,
        KINDE_API_KEY_CLOCK,
        LOGGER,
        FLEET,
      ],
    },
    ApiKeyGuard,
  ],
  exports: [ApiKeyGuard, ApiKeyVerificationService, KINDE_API_KEY_REGISTRATION],
})
export class KindeApiKeyModule
  extends ConfigurableModuleClass
  implements OnApplicationBootstrap, OnApplicationShutdown
{
  // Private to the language, all of it: Nest's containers hold the options, and a log of this object must not show the client secret.
  readonly #options: ResolvedOptions;
  readonly #extras: KindeApiKeyModuleExtras;
  readonly #registration: Registration;
  readonly #client: KeyVerifier;
  readonly #guard: unknown;
  readonly #modules: ModulesContainer;
  readonly #config: ApplicationConfig;
  readonly #log: Logger;
  readonly #fleet: SharedState | null;

  constructor(
    @Inject(RESOLVED_OPTIONS) options: ResolvedOptions,
    @Inject(KINDE_API_KEY_EXTRAS) extras: KindeApiKeyModuleExtras,
    @Inject(KINDE_API_KEY_REGISTRATION) registration: Registration,
    @Inject(KeyVerifier) client: KeyVerifier,
    @Inject(ApiKeyGuard) guard: unknown,
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(ApplicationConfig) config: ApplicationConfig,
    @Inject(LOGGER) log: Logger,
    @Inject(FLEET) fleet: SharedState | null,
  ) {
    super();
    this.#options = options;
    this.#extras = extras;
    this.#registration = registration;
    this.#client = client;
    this.#guard = guard;
    this.#modules = modules;
    this.#config = config;
    this.#log = log;
    this.#fleet = fleet;
  }

  /**
   * @param options what differs from the environment and the defaults; with none, everything comes from the environment, which is read
   * when the app is made and not at import
   */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  /**
   * @param options `useFactory`, `useClass` or `useExisting` for the options, and `isGlobal` and `globalGuard` beside them
   */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }

  /** Checks every route, once they are all known and before the first request; then begins to listen to the other instances. */
  async onApplicationBootstrap(): Promise<void> {
    const { orgParam, guardedBy } = this.#options.guard;
    const { globalGuard = false } = this.#extras;
    const check = new BootCheck(
      this.#registration,
      { isStrict: globalGuard !== false, orgParam, countedGuards: [this.#guard, ...guardedBy] },
      this.#modules,
      this.#config,
    );
    const { guarded, public: open, warnings } = check.run();
    for (const warning of warnings) this.#log.warn(warning);
    const { cache } = this.#options;
    const oldestSeconds = cache ? (cache.ttlMs + cache.staleIfErrorMs) / 1_000 : 0;
    this.#log.log(
      `${guarded} routes guarded, ${open} public, oldest accepted answer ${oldestSeconds} s, ` +
        `cache ${cache ? 'on' : 'off'}, shared ${this.#options.shared?.name ?? 'no'}`,
    );
    await this.#fleet?.start();
  }

  /** Ends what is under way with Kinde, after the server has answered its last request. */
  async onApplicationShutdown(): Promise<void> {
    this.#client.close();
    await this.#fleet?.close();
  }
}

function fleetOf({ shared, kinde, cache }: ResolvedOptions, clock: Clock, log: Logger): SharedState | null {
  const maxAcceptedAgeMs = cache ? cache.ttlMs + cache.staleIfErrorMs : 0;
  return shared && new SharedState(shared, { ...kinde, maxAcceptedAgeMs }, clock, log);
}

function rateLimitStoreOf(fleet: SharedState | null, clock: Clock): RateLimitStore {
  const local = new SlidingWindow(clock);
  return fleet ? fleet.rateLimits(local) : local;
}
