import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as publicSurface from './index.js';

const VALUES = [
  'AnyValidKey',
  'ApiKeyDoctor',
  'ApiKeyGuard',
  'ApiKeyHealthIndicator',
  'ApiKeyProblemDetailsFilter',
  'ApiKeyRefusedException',
  'ApiKeyRouteAudit',
  'ApiKeySelfController',
  'ApiKeyStreamInterceptor',
  'ApiKeyVerificationService',
  'ApiKeysService',
  'CurrentApiKey',
  'CurrentPrincipal',
  'KINDE_API_KEY_CLOCK',
  'KINDE_API_KEY_HTTP',
  'KINDE_API_KEY_OPTIONS',
  'KeysOnly',
  'KindeAccessTokenError',
  'KindeApiKeyConfigurationError',
  'KindeApiKeyError',
  'KindeApiKeyManagementError',
  'KindeApiKeyMisconfiguredError',
  'KindeApiKeyModule',
  'KindeApiKeyUnavailableError',
  'OrgCode',
  'OrgScoped',
  'PublicRoute',
  'RateLimit',
  'RequireAnyScope',
  'RequireFreshVerification',
  'RequireScopes',
  'ScopedResource',
  'SharedStoreError',
  'SkipRateLimit',
  'UserId',
  'UserScoped',
  'apiKeyTracker',
  'auditLog',
  'defineScopes',
  'getPrincipal',
  'getRefusedApiKey',
  'getVerifiedApiKey',
];

const TYPES = [
  'AcceptedVerdict',
  'AnonymousRefusalsEntry',
  'ApiKeyAuditEntry',
  'ApiKeyAuditLog',
  'ApiKeyAuditLogOptions',
  'ApiKeyCredential',
  'ApiKeyDecision',
  'ApiKeyDecisionEntry',
  'ApiKeyDetails',
  'ApiKeyFilter',
  'ApiKeyHealth',
  'ApiKeyOwner',
  'ApiKeyOwnerType',
  'ApiKeyPrincipal',
  'ApiKeyRateLimit',
  'ApiKeyRefusalBody',
  'ApiKeyRefusalCode',
  'ApiKeyRouteRequirement',
  'ApiKeyRuleDecorator',
  'ApiKeySelf',
  'ApiKeySelfLimit',
  'ApiKeyStatusReason',
  'ApiKeySummary',
  'ApiKeyVerdictSource',
  'ApiKeyVerificationStatus',
  'AuditedRoute',
  'AuditedRule',
  'Caller',
  'Clock',
  'ConnectedPrincipalSource',
  'ControllerClass',
  'ExaminationOptions',
  'Finding',
  'FindingCode',
  'GuardClass',
  'Invalidation',
  'InvalidationTarget',
  'KindeApiKeyCacheOptions',
  'KindeApiKeyErrorCode',
  'KindeApiKeyFailedAttemptsOptions',
  'KindeApiKeyManagementErrorCode',
  'KindeApiKeyModuleExtras',
  'KindeApiKeyOptions',
  'KindeApiKeyOptionsFactory',
  'KindeApiKeyRateLimitOptions',
  'KindeConnectionOptions',
  'KindeHttpOptions',
  'MisconfigurationReason',
  'NewApiKey',
  'NewApiKeyInput',
  'OrgResolution',
  'OrgResolver',
  'OrgResolverFunction',
  'OrganizationTarget',
  'Principal',
  'PrincipalSource',
  'RefusalReason',
  'RefusedVerdict',
  'ResolvedOrganization',
  'ScopeDecorators',
  'SharedListener',
  'SharedRate',
  'SharedScope',
  'SharedSession',
  'SharedStore',
  'Verdict',
  'VerifiedApiKey',
];

describe('the public surface', () => {
  const source = readFileSync(join(__dirname, 'index.ts'), 'utf8');

  it('exports these values and no others', () => {
    expect(Object.keys(publicSurface).toSorted()).toEqual(VALUES);
  });

  it('exports these types and no others', () => {
    const types = [...source.matchAll(/export (type )?\{([^}]*)\}/g)].flatMap(([, allTypes, list = '']) =>
      list
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '' && (allTypes !== undefined || entry.startsWith('type ')))
        .map((entry) => entry.replace(/^type /, '')),
    );
    expect(types.toSorted()).toEqual(TYPES);
  });

  it('has named exports only', () => {
    expect(source).not.toMatch(/export \*|export default|export (const|class|function)/);
  });
});
