import type { CallOptions } from '../contexts/message-call.js';
import type { Log, LogThrottle } from '../log.js';
import type { RateLimiter } from '../rate-limit/rate-limiter.js';
import type { RefusalFactory } from '../responses/refusal-factory.js';
import type { RouteRuleRegistry } from '../rules/route-rule-registry.js';
import type { CredentialReader } from './credential-reader.js';
import type { DecisionReporter } from './decision-reporter.js';
import type { OpenSockets } from './outside-http/open-sockets.js';
import type { OpenStreams } from './streams/open-streams.js';
import type { FailedAttempts } from './failed-attempts.js';
import type { KeyVerification } from './key-verification.js';
import type { PrincipalSources } from './principal-sources.js';

/** @internal What `ApiKeyGuard` is built from. Nest prints this name when it cannot find it, so it says what to do. */
export const KINDE_API_KEY_REGISTRATION = Symbol.for(
  'nestjs-kinde-api-key: import KindeApiKeyModule.forRoot() in this module or globally',
);

/** @internal One `forRoot()`: everything that its guards share. Two registrations share nothing. */
export interface Registration {
  readonly id: symbol;
  /** The Kinde application and the API that keys are verified for, in words: registrations with equal texts are duplicates. */
  readonly kinde: string;
  readonly rules: RouteRuleRegistry;
  readonly credentials: CredentialReader;
  /** Where the key is in a call outside HTTP. */
  readonly calls: CallOptions;
  readonly sockets: OpenSockets;
  readonly streams: OpenStreams;
  readonly verification: KeyVerification;
  /** `null`: only API keys are accepted. */
  readonly principals: Pick<PrincipalSources, 'authenticate' | 'problems'> | null;
  readonly refusals: RefusalFactory;
  /** `null`: without a limit. */
  readonly failedAttempts: Pick<FailedAttempts, 'waitSeconds' | 'reserve' | 'record'> | null;
  readonly rateLimiter: Pick<RateLimiter, 'take'>;
  readonly decisions: Pick<DecisionReporter, 'prepare' | 'listeners'>;
  readonly log: Pick<Log, 'error'>;
  /** Limits the log lines about handlers that the guard cannot protect. */
  readonly unsupported: LogThrottle;
}
