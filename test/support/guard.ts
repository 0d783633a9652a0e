import type { ExecutionContext } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { ApiKeyDecision } from '../../libs/kinde-api-key/src/api-key/decision.js';
import type { RawKey } from '../../libs/kinde-api-key/src/api-key/raw-key.js';
import type { Verdict } from '../../libs/kinde-api-key/src/api-key/verdict.js';
import type { Clock } from '../../libs/kinde-api-key/src/clock.js';
import { resolveOptions } from '../../libs/kinde-api-key/src/config/resolved-options.js';
import { ApiKeyGuard } from '../../libs/kinde-api-key/src/guard/api-key.guard.js';
import { CredentialReader } from '../../libs/kinde-api-key/src/guard/credential-reader.js';
import { DecisionReporter } from '../../libs/kinde-api-key/src/guard/decision-reporter.js';
import { FailedAttempts } from '../../libs/kinde-api-key/src/guard/failed-attempts.js';
import { OpenSockets } from '../../libs/kinde-api-key/src/guard/outside-http/open-sockets.js';
import { OpenStreams } from '../../libs/kinde-api-key/src/guard/streams/open-streams.js';
import type { Registration } from '../../libs/kinde-api-key/src/guard/registration.js';
import type { KindeApiKeyOptions } from '../../libs/kinde-api-key/src/kinde-api-key.options.js';
import { LogThrottle } from '../../libs/kinde-api-key/src/log.js';
import { RateLimiter } from '../../libs/kinde-api-key/src/rate-limit/rate-limiter.js';
import type { RateLimitStore } from '../../libs/kinde-api-key/src/rate-limit/rate-limit-store.js';
import { SlidingWindow } from '../../libs/kinde-api-key/src/rate-limit/sliding-window.js';
import { ApiKeyRefusedException } from '../../libs/kinde-api-key/src/responses/api-key-refused.exception.js';
import { RefusalFactory } from '../../libs/kinde-api-key/src/responses/refusal-factory.js';
import { ProviderInstances } from '../../libs/kinde-api-key/src/handlers/provider-instances.js';
import { ResolverBinding } from '../../libs/kinde-api-key/src/rules/resolver-binding.js';
import { RouteRuleRegistry } from '../../libs/kinde-api-key/src/rules/route-rule-registry.js';
import { ApiKeyVerificationService } from '../../libs/kinde-api-key/src/verification/api-key-verification.service.js';
import { verifiedKey } from './verified-key.js';

export const RAW_KEY = 'k_live_1234567890abcdef';

export interface GuardParts {
  /** Kinde's answer to a raw key. Default: every key is good. */
  readonly answer?: (rawKey: string) => Promise<Verdict>;
  readonly options?: Pick<KindeApiKeyOptions, 'failedAttempts' | 'rateLimit'>;
  /** Default: stands still. */
  readonly clock?: Clock;
  /** Puts something in front of the in-process rate limit store. */
  readonly wrapStore?: (store: RateLimitStore) => RateLimitStore;
}

/** Builds a guard with everything real behind it, except for Kinde and the clock. */
export function buildGuard({
  answer = acceptEveryKey,
  options = {},
  clock = { now: () => 1_000_000 },
  wrapStore = (store) => store,
}: GuardParts = {}) {
  const { guard, cache, rateLimit } = resolveOptions(
    { domain: 'acme', clientId: 'id', clientSecret: 'secret', ...options },
    {},
  );
  const log = { debug: jest.fn(), log: jest.fn(), warn: jest.fn(), error: jest.fn<void, [string]>() };
  const asked: string[] = [];
  const counted: string[] = [];
  const decisions: ApiKeyDecision[] = [];
  const verify = async (key: RawKey) => {
    asked.push(key.reveal());
    return { verdict: await answer(key.reveal()), sentAtMs: clock.now() };
  };
  const store = wrapStore(new SlidingWindow(clock));
  const recordingStore: RateLimitStore = {
    take: (scope, keyId, ...rest) => {
      counted.push(`${scope} ${keyId}`);
      return store.take(scope, keyId, ...rest);
    },
  };
  const verification = new ApiKeyVerificationService({ verify }, cache, clock);
  const registration: Registration = {
    id: Symbol('registration'),
    kinde: 'https://acme.kinde.com',
    rules: new RouteRuleRegistry(
      { orgParam: guard.orgParam, publicControllers: new Set(), rateLimit },
      new ResolverBinding(new ModulesContainer(), new ProviderInstances()),
    ),
    calls: guard,
    sockets: new OpenSockets(verification, clock),
    streams: new OpenStreams(verification, clock),
    credentials: new CredentialReader(guard.credentials, guard.keyPrefixes),
    verification,
    principals: null,
    refusals: new RefusalFactory(guard),
    failedAttempts: guard.failedAttempts && new FailedAttempts(guard.failedAttempts, clock, log),
    rateLimiter: new RateLimiter(recordingStore, log),
    decisions: new DecisionReporter((decision) => decisions.push(decision), log, clock),
    log,
    unsupported: new LogThrottle(clock, 60_000),
  };
  return { guard: new ApiKeyGuard(registration), registration, verification, asked, counted, decisions, log };
}

export interface RequestParts {
  /** Empty: without a credential. Default {@link RAW_KEY}. */
  readonly key?: string;
  readonly params?: Record<string, string>;
  /** Type of the context. Default `http`. */
  readonly type?: string;
}

/** Builds the context of a request to a method, with the headers that its response gets. */
export function requestTo<C extends object>(
  controller: abstract new () => C,
  name: keyof C & string,
  { key = RAW_KEY, params = {}, type = 'http' }: RequestParts = {},
) {
  const request = { ip: '192.0.2.1', rawHeaders: key ? ['Authorization', `Bearer ${key}`] : [], headers: {}, params };
  const headers: Record<string, string> = {};
  const response = { header: (header: string, value: string) => void (headers[header] = value) };
  const context = {
    getClass: () => controller,
    getHandler: () => (controller.prototype as C)[name],
    getType: () => type,
    switchToHttp: () => ({ getRequest: () => request, getResponse: () => response }),
  } as unknown as ExecutionContext;
  return { context, request, headers };
}

/** @returns what a guard answers, the code of a refusal, or any other error */
export async function outcomeOf(run: () => boolean | Promise<boolean>): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    return error instanceof ApiKeyRefusedException ? error.code : error;
  }
}

async function acceptEveryKey(): Promise<Verdict> {
  return { accepted: true, apiKey: verifiedKey() };
}
