import type { CanActivate, ExecutionContext, ValueProvider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { VerifiedApiKey } from '../../api-key/verified-api-key.js';
import { acceptKey } from '../../guard/request-state.js';
import { ownerTypeOf } from '../../kinde/answers/verify-answer.js';

/** The verified key of a request in a test, and what a resolver would have loaded. Default: no scopes, no organization, no user. */
export interface ApiKeyOfRequest extends Partial<VerifiedApiKey> {
  /** What `@ScopedResource()` injects. */
  readonly resource?: unknown;
}

/**
 * Gives a request a verified key as if `ApiKeyGuard` had accepted it, for tests without the guard: `@CurrentApiKey()`, `@OrgCode()`, `@UserId()`,
 * `@ScopedResource()` and `getVerifiedApiKey()` find it.
 *
 * @returns the request
 */
export function withApiKey<Request extends object>(
  request: Request,
  { resource, ...key }: ApiKeyOfRequest = {},
): Request {
  acceptKey(request, verifiedKey(key), resource);
  return request;
}

/**
 * Returns a guard that accepts every request and gives it a verified key: for `overrideGuard(ApiKeyGuard).useValue(…)`, and for
 * `overrideProvider(ApiKeyGuard).useValue(…)` where the app has a global guard. It is also a provider: among the `providers` of a test it guards
 * every controller.
 */
export function provideVerifiedKey(key: ApiKeyOfRequest = {}): CanActivate & ValueProvider<CanActivate> {
  const guard: CanActivate = {
    canActivate(context: ExecutionContext): true {
      if (context.getType() === 'http') withApiKey(context.switchToHttp().getRequest<object>(), key);
      return true;
    },
  };
  return { ...guard, provide: APP_GUARD, useValue: guard };
}

function verifiedKey({
  keyId = 'api_key_test',
  scopes = [],
  orgCode = null,
  userId = null,
  ownerType = ownerTypeOf(orgCode, userId),
  lastVerifiedOn = null,
  verificationCount = null,
}: Partial<VerifiedApiKey>): VerifiedApiKey {
  const given = Object.freeze([...scopes]);
  return Object.freeze({ keyId, scopes: given, orgCode, userId, ownerType, lastVerifiedOn, verificationCount });
}
