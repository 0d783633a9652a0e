import {
  Inject,
  Logger,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiKeyRouteAudit } from './audit/route-audit.js';
import { BootCheck } from './audit/boot-check.js';
import { copiesWarning } from './copies.js';
import type { ResolvedOptions } from './config/resolved-options.js';
import { API_KEY_DOCTOR, ApiKeyDoctor } from './doctor/api-key-doctor.js';
import { bootModeOf, verifyAtBoot } from './doctor/verify-at-boot.js';
import { ApiKeyGuard } from './guard/api-key.guard.js';
import { KINDE_API_KEY_REGISTRATION } from './guard/registration.js';
import { ASYNC_OPTIONS_TYPE, ConfigurableModuleClass, OPTIONS_TYPE } from './kinde-api-key.module-definition.js';
import { KINDE_API_KEY_OPTIONS, type KindeApiKeyOptions } from './kinde-api-key.options.js';
import { LOG, maxAcceptedAgeMsOf, PROVIDERS, RESOLVED_OPTIONS, SHARED_STATE } from './kinde-api-key.providers.js';
import { ApiKeysService } from './keys/api-keys.service.js';
import { KEYS_PROVIDERS } from './keys/keys.providers.js';
import { isUnreplaced, KINDE_API_KEY_HTTP, type KindeHttpService } from './kinde/axios-http.js';
import { KeyVerifier } from './kinde/key-verifier.js';
import { KINDE_CONNECTION } from './kinde/kinde-connection.js';
import type { Log } from './log.js';
import type { SharedState } from './shared/shared-state.js';
import { flushAuditLog } from './observability/audit-log.js';
import { ApiKeyHealthIndicator } from './observability/health-indicator.js';
import { OBSERVABILITY_PROVIDERS } from './observability/observability.providers.js';
import { ApiKeyVerificationService } from './verification/api-key-verification.service.js';

/**
 * Lets an API accept the API keys that its customers create in Kinde. Import `KindeApiKeyModule.forRoot()` once, in the root module; it
 * provides {@link ApiKeyGuard} and {@link ApiKeyVerificationService} to every module.
 */
@Module({
  providers: [
    ...PROVIDERS,
    ...KEYS_PROVIDERS,
    ...OBSERVABILITY_PROVIDERS,
    { provide: API_KEY_DOCTOR, useExisting: ApiKeyDoctor },
  ],
  exports: [
    ApiKeyDoctor,
    ApiKeyGuard,
    ApiKeyHealthIndicator,
    ApiKeyRouteAudit,
    ApiKeyVerificationService,
    ApiKeysService,
    KINDE_API_KEY_HTTP,
    KINDE_API_KEY_REGISTRATION,
    KINDE_CONNECTION,
  ],
})
export class KindeApiKeyModule
  extends ConfigurableModuleClass
  implements OnApplicationBootstrap, OnApplicationShutdown
{
  // Private to the language: Nest's containers hold this object, and a log of it must not show the client secret.
  readonly #options: ResolvedOptions;
  readonly #bootCheck: BootCheck;
  readonly #doctor: ApiKeyDoctor;
  readonly #verifier: KeyVerifier;
  readonly #shared: SharedState | null;
  readonly #log: Log;
  readonly #bootMode: () => ResolvedOptions['verifyAtBoot'];

  /** @internal */
  constructor(
    @Inject(RESOLVED_OPTIONS) options: ResolvedOptions,
    @Inject(BootCheck) bootCheck: BootCheck,
    @Inject(ApiKeyDoctor) doctor: ApiKeyDoctor,
    @Inject(KeyVerifier) verifier: KeyVerifier,
    @Inject(SHARED_STATE) shared: SharedState | null,
    @Inject(LOG) log: Log,
    @Inject(KINDE_API_KEY_OPTIONS) given: KindeApiKeyOptions | undefined,
    @Inject(KINDE_API_KEY_HTTP) http: KindeHttpService,
    @Inject(ApiKeyVerificationService) verification: unknown,
    @Inject(HttpAdapterHost) server: HttpAdapterHost,
  ) {
    super();
    this.#options = options;
    this.#bootCheck = bootCheck;
    this.#doctor = doctor;
    this.#verifier = verifier;
    this.#shared = shared;
    this.#log = log;
    this.#bootMode = () =>
      bootModeOf(options.verifyAtBoot, {
        isGiven: given?.verifyAtBoot !== undefined,
        hasServer: Boolean(server.httpAdapter),
        isReplaced: !isUnreplaced(http) || !(verification instanceof ApiKeyVerificationService),
      });
  }

  /**
   * @param options overrides of the environment and the defaults. Without them, everything comes from the environment, which is read when
   * the app is created and not at import
   */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    reportCopies();
    return super.forRoot(options);
  }

  /** @param options `useFactory`, `useClass` or `useExisting` for the options, with `isGlobal` and `globalGuard` beside them */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    reportCopies();
    return super.forRootAsync(options);
  }

  /** Checks every route before the first request, starts listening to the other instances, then compares the configuration with Kinde. */
  async onApplicationBootstrap(): Promise<void> {
    const { guarded, public: open, warnings } = this.#bootCheck.run();
    for (const warning of warnings) this.#log.warn(warning);
    const { cache, shared } = this.#options;
    this.#log.log(
      `${guarded} routes guarded, ${open} public, oldest accepted answer ${maxAcceptedAgeMsOf(cache) / 1_000} s, ` +
        `cache ${cache ? 'on' : 'off'}, shared ${shared?.name ?? 'no'}`,
    );
    await this.#shared?.start();
    await verifyAtBoot(this.#doctor, this.#bootMode(), this.#log);
  }

  /** Aborts calls to Kinde that are in flight, after the server has answered its last request, and writes the end of the audit log. */
  async onApplicationShutdown(): Promise<void> {
    flushAuditLog(this.#options.guard.onDecision);
    this.#doctor.close();
    this.#verifier.close();
    await this.#shared?.close();
  }
}

/** Early, because Nest may stop before the boot check: it cannot inject a class of another copy. */
function reportCopies(): void {
  const warning = copiesWarning();
  if (warning) new Logger('KindeApiKeyModule').warn(warning);
}
