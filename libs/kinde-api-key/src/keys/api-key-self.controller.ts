import { Controller, Get, Header, Req, UseGuards } from '@nestjs/common';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { ApiKeyGuard } from '../guard/api-key.guard.js';
import { acceptedState } from '../guard/request-state.js';
import { retryAfterSeconds } from '../rate-limit/rate-limit-headers.js';
import { KeysOnly } from '../rules/access.decorators.js';

/** What {@link ApiKeySelfController} answers about the key of the request. */
export interface ApiKeySelf extends Pick<VerifiedApiKey, 'keyId' | 'ownerType' | 'orgCode' | 'userId' | 'scopes'> {
  /** What is left of the rate limit, this request counted; `null` without a limit. */
  readonly rateLimit: ApiKeySelfLimit | null;
}

/** What is left of the rate limit of a key. */
export interface ApiKeySelfLimit {
  /** Maximum number of requests in any window. */
  readonly limit: number;
  /** Number of further requests that are accepted now. */
  readonly remaining: number;
  /** Whole seconds until `remaining` grows by itself, at least 1. */
  readonly resetSeconds: number;
}

/**
 * `GET /api-key`: tells the holder of a key whose key it is, which scopes it has and what is left of its rate limit. Put it into the `controllers` of
 * a module, or a subclass of it for another path. It accepts any valid API key, with or without `globalGuard`, and no other caller. The request
 * counts against the limit.
 */
@Controller('api-key')
@UseGuards(ApiKeyGuard)
export class ApiKeySelfController {
  // On the method, because a requirement there beats `@PublicRoute()` on a subclass.
  @Get()
  @KeysOnly()
  @Header('Cache-Control', 'no-store')
  show(@Req() request: object): ApiKeySelf {
    const { apiKey, decision } = acceptedState(request) ?? {};
    if (!apiKey) throw new Error('ApiKeySelfController answers behind ApiKeyGuard only');
    const { keyId, ownerType, orgCode, userId, scopes } = apiKey;
    const rateLimit = decision
      ? { limit: decision.limit, remaining: decision.remaining, resetSeconds: retryAfterSeconds(decision) }
      : null;
    return { keyId, ownerType, orgCode, userId, scopes, rateLimit };
  }
}
