import { Logger, type Provider } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { BootCheck } from './audit/boot-check.js';
import { ApiKeyRouteAudit, ROUTE_AUDIT } from './audit/route-audit.js';
import { KINDE_API_KEY_CLOCK, SystemClock, type Clock } from './clock.js';
import { resolveOptions, type ResolvedOptions } from './config/resolved-options.js';
import { watchHandshakes } from './contexts/handshakes.js';
import { ApiKeyDoctor } from './doctor/api-key-doctor.js';
import { ApiKeyGuard } from './guard/api-key.guard.js';
import { CredentialReader } from './guard/credential-reader.js';
import { DecisionReporter } from './guard/decision-reporter.js';
import { FailedAttempts } from './guard/failed-attempts.js';
import { OpenSockets } from './guard/outside-http/open-sockets.js';
import { OpenStreams } from './guard/streams/open-streams.js';
import { PrincipalSources } from './guard/principal-sources.js';
import { KINDE_API_KEY_REGISTRATION, type Registration } from './guard/registration.js';
import { AppHandlers } from './handlers/app-handlers.js';
import { ExternalHandlers } from './handlers/external-handlers.js';
import { HANDLERS_PROVIDERS } from './handlers/handlers.providers.js';
import { ProviderInstances } from './handlers/provider-instances.js';
import { KINDE_API_KEY_EXTRAS } from './kinde-api-key.module-definition.js';
import {
  KINDE_API_KEY_OPTIONS,
  type KindeApiKeyModuleExtras,
  type KindeApiKeyOptions,
} from './kinde-api-key.options.js';
import {
  AxiosKindeHttp,
  axiosVersion,
  KINDE_API_KEY_HTTP,
  unsharedHttpService,
  type KindeHttpService,
} from './kinde/axios-http.js';
import { KeyVerifier } from './kinde/key-verifier.js';
import { KINDE_CONNECTION, type KindeConnection } from './kinde/kinde-connection.js';
import { observed } from './kinde/observed-http.js';
import { checkProxy } from './kinde/proxy-check.js';
import { LogThrottle, type Log } from './log.js';
import type { RateLimitStore } from './rate-limit/rate-limit-store.js';
import { RateLimiter } from './rate-limit/rate-limiter.js';
import { SlidingWindow } from './rate-limit/sliding-window.js';
import { RefusalFactory } from './responses/refusal-factory.js';
import { ResolverBinding } from './rules/resolver-binding.js';
import { RouteRuleRegistry } from './rules/route-rule-registry.js';
import { SharedState } from './shared/shared-state.js';
import { ApiKeyVerificationService } from './verification/api-key-verification.service.js';

/** @internal The checked options. */
export const RESOLVED_OPTIONS = Symbol.for('nestjs-kinde-api-key:resolved-options');
/** @internal What is shared with other instances, or `null`. */
export const SHARED_STATE = Symbol.for('nestjs-kinde-api-key:shared-state');
/** @internal The library's log. */
export const LOG = Symbol.for('nestjs-kinde-api-key:log');

/** @internal Everything that one registration consists of. */
export const PROVIDERS: Provider[] = [
  { provide: LOG, useFactory: () => new Logger('KindeApiKeyModule') },
  { provide: KINDE_API_KEY_CLOCK, useClass: SystemClock },
  { provide: KINDE_API_KEY_HTTP, useFactory: unsharedHttpService },
  {
    provide: RESOLVED_OPTIONS,
    useFactory: (options: KindeApiKeyOptions) => resolveOptions(options, process.env),
    inject: [KINDE_API_KEY_OPTIONS],
  },
  {
    provide: SHARED_STATE,
    useFactory: ({ shared, kinde, cache }: ResolvedOptions, clock: Clock, log: Log) =>
      shared && new SharedState(shared, { ...kinde, maxAcceptedAgeMs: maxAcceptedAgeMsOf(cache) }, clock, log),
    inject: [RESOLVED_OPTIONS, KINDE_API_KEY_CLOCK, LOG],
  },
  {
    provide: KINDE_CONNECTION,
    useFactory: (http: KindeHttpService, options: ResolvedOptions, clock: Clock, log: Log): KindeConnection => {
      checkProxy(options, axiosVersion());
      const { origin, timeoutMs } = options.kinde;
      return { origin, timeoutMs, ...observed(new AxiosKindeHttp(http, options.http, timeoutMs / 2)), clock, log };
    },
    inject: [KINDE_API_KEY_HTTP, RESOLVED_OPTIONS, KINDE_API_KEY_CLOCK, LOG],
  },
  {
    provide: KeyVerifier,
    useFactory: ({ http, clock, log }: KindeConnection, { kinde }: ResolvedOptions, shared: SharedState | null) =>
      new KeyVerifier(http, kinde, clock, log, shared?.shareToken.bind(shared)),
    inject: [KINDE_CONNECTION, RESOLVED_OPTIONS, SHARED_STATE],
  },
  {
    provide: ApiKeyVerificationService,
    useFactory: (verifier: KeyVerifier, { cache }: ResolvedOptions, clock: Clock, shared: SharedState | null) =>
      new ApiKeyVerificationService(verifier, cache, clock, shared?.verdicts),
    inject: [KeyVerifier, RESOLVED_OPTIONS, KINDE_API_KEY_CLOCK, SHARED_STATE],
  },
  ...HANDLERS_PROVIDERS,
  { provide: watchHandshakes, useFactory: watchHandshakes, inject: [ApplicationConfig] },
  {
    provide: KINDE_API_KEY_REGISTRATION,
    useFactory: (
      { guard, kinde, rateLimit }: ResolvedOptions,
      extras: KindeApiKeyModuleExtras,
      verification: ApiKeyVerificationService,
      modules: ModulesContainer,
      clock: Clock,
      log: Log,
      shared: SharedState | null,
      handlers: AppHandlers,
      instances: ProviderInstances,
      connection: KindeConnection,
    ): Registration => ({
      id: Symbol('registration'),
      kinde: [kinde.origin, `as ${kinde.clientId}`, kinde.apiId && `for ${kinde.apiId}`].filter(Boolean).join(' '),
      rules: new RouteRuleRegistry(
        { orgParam: guard.orgParam, publicControllers: publicControllersOf(extras), rateLimit },
        new ResolverBinding(modules, instances),
        (told, handler) => handlers.find(told, handler),
        log,
      ),
      calls: guard,
      sockets: new OpenSockets(verification, clock),
      streams: new OpenStreams(verification, clock),
      credentials: new CredentialReader(guard.credentials, guard.keyPrefixes),
      verification,
      principals:
        guard.principals.length === 0 ? null : new PrincipalSources(guard.principals, modules, instances, connection),
      refusals: new RefusalFactory(guard),
      failedAttempts: guard.failedAttempts && new FailedAttempts(guard.failedAttempts, clock, log),
      rateLimiter: new RateLimiter(rateLimitStoreOf(shared, clock), log),
      decisions: new DecisionReporter(guard.onDecision, log, clock, (apiKey) => verification.isStale(apiKey)),
      log,
      unsupported: new LogThrottle(clock, 60_000),
    }),
    inject: [
      RESOLVED_OPTIONS,
      KINDE_API_KEY_EXTRAS,
      ApiKeyVerificationService,
      ModulesContainer,
      KINDE_API_KEY_CLOCK,
      LOG,
      SHARED_STATE,
      AppHandlers,
      ProviderInstances,
      KINDE_CONNECTION,
    ],
  },
  ApiKeyGuard,
  { provide: ApiKeyRouteAudit, useFactory: (boot: BootCheck) => new ApiKeyRouteAudit(boot), inject: [BootCheck] },
  { provide: ROUTE_AUDIT, useExisting: ApiKeyRouteAudit },
  {
    provide: ApiKeyDoctor,
    useFactory: (connection: KindeConnection, { kinde }: ResolvedOptions, verifier: KeyVerifier, boot: BootCheck) =>
      new ApiKeyDoctor(connection, kinde, verifier, () => boot.rules),
    inject: [KINDE_CONNECTION, RESOLVED_OPTIONS, KeyVerifier, BootCheck],
  },
  {
    provide: BootCheck,
    useFactory: (
      registration: Registration,
      { guard }: ResolvedOptions,
      { globalGuard = false }: KindeApiKeyModuleExtras,
      guardInUse: unknown,
      modules: ModulesContainer,
      handlers: AppHandlers,
      external: ExternalHandlers,
      config: ApplicationConfig,
    ) => {
      const options = { ...guard, isStrict: globalGuard !== false, countedGuards: [guardInUse, ...guard.guardedBy] };
      return new BootCheck(registration, options, modules, handlers, external, config);
    },
    inject: [
      KINDE_API_KEY_REGISTRATION,
      RESOLVED_OPTIONS,
      KINDE_API_KEY_EXTRAS,
      ApiKeyGuard,
      ModulesContainer,
      AppHandlers,
      ExternalHandlers,
      ApplicationConfig,
    ],
  },
];

function publicControllersOf({ globalGuard }: KindeApiKeyModuleExtras): ReadonlySet<unknown> {
  return new Set(typeof globalGuard === 'object' ? globalGuard.publicControllers : []);
}

function rateLimitStoreOf(shared: SharedState | null, clock: Clock): RateLimitStore {
  const local = new SlidingWindow(clock);
  return shared?.rateLimits(local) ?? local;
}

/** @internal Maximum age of an accepted answer in milliseconds; 0 without a cache. */
export function maxAcceptedAgeMsOf(cache: ResolvedOptions['cache']): number {
  return cache ? cache.ttlMs + cache.staleIfErrorMs : 0;
}
