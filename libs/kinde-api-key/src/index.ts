export { KINDE_API_KEY_CLOCK, type Clock } from './clock.js';
export type { ApiKeyDecision, ApiKeyRefusalCode } from './decision.js';
export {
  defineScopes,
  AnyValidKey,
  OrgScoped,
  PublicRoute,
  RequireAnyScope,
  RequireScopes,
  UserScoped,
} from './guard/access.decorators.js';
export type { ApiKeyRuleDecorator, ScopeDecorators } from './guard/access.decorators.js';
export { ApiKeyGuard } from './guard/api-key.guard.js';
export { ApiKeyRefusedException, type ApiKeyRefusalBody } from './guard/api-key-refused.exception.js';
export { apiKeyTracker } from './guard/api-key-tracker.js';
export type {
  OrganizationTarget,
  OrgResolution,
  OrgResolver,
  OrgResolverFunction,
  ResolvedOrganization,
} from './guard/organization-target.js';
export { CurrentApiKey, OrgCode, ScopedResource, UserId } from './guard/parameter.decorators.js';
export { getVerifiedApiKey } from './guard/visit.js';
export { ApiKeyProblemDetailsFilter } from './guard/problem-details.filter.js';
export { RateLimit, SkipRateLimit, type ApiKeyRateLimit } from './guard/rate-limit.decorators.js';
export {
  KindeApiKeyConfigurationError,
  KindeApiKeyError,
  KindeApiKeyMisconfiguredError,
  KindeApiKeyUnavailableError,
  type KindeApiKeyErrorCode,
} from './kinde-api-key.errors.js';
export { KindeApiKeyModule } from './kinde-api-key.module.js';
export type {
  ApiKeyCredential,
  ControllerClass,
  GuardClass,
  KindeApiKeyCacheOptions,
  KindeApiKeyFailedAttemptsOptions,
  KindeApiKeyModuleExtras,
  KindeApiKeyOptions,
  KindeApiKeyOptionsFactory,
  KindeApiKeyRateLimitOptions,
  KindeConnectionOptions,
  KindeHttpOptions,
} from './kinde-api-key.options.js';
export type { AcceptedVerdict, RefusalReason, RefusedVerdict, Verdict } from './kinde/verdict.js';
export {
  SharedStoreError,
  type SharedListener,
  type SharedRate,
  type SharedScope,
  type SharedSession,
  type SharedStore,
  type Tombstone,
} from './shared-store.js';
export { ApiKeyVerificationService } from './verification/api-key-verification.service.js';
export type { InvalidationTarget } from './verification/invalidation.js';
export type { ApiKeyOwnerType, VerifiedApiKey } from './verified-api-key.js';
