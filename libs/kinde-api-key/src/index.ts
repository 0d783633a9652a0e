export { KINDE_API_KEY_CLOCK, type Clock } from './clock.js';
export type {
  ApiKeyDecision,
  ApiKeyRefusalCode,
  ApiKeyRouteRequirement,
  ApiKeyVerdictSource,
} from './api-key/decision.js';
export {
  defineScopes,
  AnyValidKey,
  KeysOnly,
  OrgScoped,
  PublicRoute,
  RequireAnyScope,
  RequireFreshVerification,
  RequireScopes,
  UserScoped,
} from './rules/access.decorators.js';
export type { ApiKeyRuleDecorator, ScopeDecorators } from './rules/access.decorators.js';
export type { AuditedRoute, AuditedRule } from './audit/audited-route.js';
export { ApiKeyRouteAudit } from './audit/route-audit.js';
export { ApiKeyDoctor, type ExaminationOptions } from './doctor/api-key-doctor.js';
export type { Finding, FindingCode } from './doctor/finding.js';
export { ApiKeyStreamInterceptor } from './guard/streams/api-key-stream.interceptor.js';
export { ApiKeyGuard } from './guard/api-key.guard.js';
export { ApiKeyRefusedException, type ApiKeyRefusalBody } from './responses/api-key-refused.exception.js';
export { apiKeyTracker } from './guard/api-key-tracker.js';
export type {
  OrganizationTarget,
  OrgResolution,
  OrgResolver,
  OrgResolverFunction,
  ResolvedOrganization,
} from './rules/org-target.js';
export { CurrentApiKey, CurrentPrincipal, OrgCode, ScopedResource, UserId } from './guard/parameter.decorators.js';
export { getPrincipal, getRefusedApiKey, getVerifiedApiKey } from './guard/request-state.js';
export { ApiKeyProblemDetailsFilter } from './responses/problem-details.filter.js';
export { RateLimit, SkipRateLimit, type ApiKeyRateLimit } from './rules/rate-limit.decorators.js';
export type { ApiKeyPrincipal, Caller, Principal } from './api-key/principal.js';
export type { ConnectedPrincipalSource, PrincipalSource } from './guard/principal-source.js';
export {
  KindeAccessTokenError,
  KindeApiKeyConfigurationError,
  KindeApiKeyError,
  KindeApiKeyManagementError,
  KindeApiKeyMisconfiguredError,
  KindeApiKeyUnavailableError,
  type MisconfigurationReason,
  type KindeApiKeyErrorCode,
  type KindeApiKeyManagementErrorCode,
} from './kinde-api-key.errors.js';
export { ApiKeySelfController, type ApiKeySelf, type ApiKeySelfLimit } from './keys/api-key-self.controller.js';
export { ApiKeysService } from './keys/api-keys.service.js';
export type { ApiKeyFilter, ApiKeyOwner, NewApiKeyInput } from './keys/key-input.js';
export type { ApiKeyDetails, ApiKeySummary, NewApiKey } from './api-key/api-key-summary.js';
export { KindeApiKeyModule } from './kinde-api-key.module.js';
export { KINDE_API_KEY_OPTIONS } from './kinde-api-key.options.js';
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
export {
  auditLog,
  type AnonymousRefusalsEntry,
  type ApiKeyAuditEntry,
  type ApiKeyAuditLog,
  type ApiKeyAuditLogOptions,
  type ApiKeyDecisionEntry,
} from './observability/audit-log.js';
export { ApiKeyHealthIndicator, type ApiKeyHealth } from './observability/health-indicator.js';
export type { ApiKeyStatusReason, ApiKeyVerificationStatus } from './verification/status.js';
export type { AcceptedVerdict, RefusalReason, RefusedVerdict, Verdict } from './api-key/verdict.js';
export {
  SharedStoreError,
  type SharedListener,
  type SharedRate,
  type SharedScope,
  type SharedSession,
  type SharedStore,
  type Invalidation,
} from './shared/shared-store.js';
export { KINDE_API_KEY_HTTP } from './kinde/axios-http.js';
export { ApiKeyVerificationService } from './verification/api-key-verification.service.js';
export type { InvalidationTarget } from './verification/invalidation.js';
export type { ApiKeyOwnerType, VerifiedApiKey } from './api-key/verified-api-key.js';
