import type { RateLimiter } from '../rate-limit/rate-limiter.js';
import type { ApiKeyVerificationService } from '../verification/api-key-verification.service.js';
import type { CredentialReader } from './credential-reader.js';
import type { FailedAttempts } from './failed-attempts.js';
import type { DecisionReporter } from './decision-reporter.js';
import type { RefusalFactory } from '../responses/refusal-factory.js';
import type { RouteRuleRegistry } from '../rules/route-rule-registry.js';

/** @internal What `ApiKeyGuard` is built from; its name says what to do when Nest cannot find it. */
export const KINDE_API_KEY_REGISTRATION = Symbol.for(
  'nestjs-kinde-api-key: import KindeApiKeyModule.forRoot() in this module or globally',
);

/** @internal One `forRoot()`: everything that its guards share. Two registrations share nothing. */
export interface Registration {
  readonly id: symbol;
  /** Which Kinde application it asks, and about which API. */
  readonly kinde: string;
  readonly rules: RouteRuleRegistry;
  readonly credentials: CredentialReader;
  readonly verification: ApiKeyVerificationService;
  readonly refusals: RefusalFactory;
  /** `null`: not limited. */
  readonly failedAttempts: FailedAttempts | null;
  readonly rateLimiter: RateLimiter;
  readonly decisions: DecisionReporter;
  readonly log: { error(message: string): void };
}
