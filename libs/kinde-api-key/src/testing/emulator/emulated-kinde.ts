import { type Clock, SystemClock } from '../../clock.js';
import { ApiCatalogue } from './api-catalogue.js';
import { ApplicationRegistry } from './applications.js';
import { CallLimit } from './call-limit.js';
import { type EmulatorCounters, newCounters } from './counters.js';
import type { EmulatorAnswer, EmulatorRequest } from './exchange.js';
import { KeyStore } from './key-store.js';
import { errorAnswer } from './kinde-answers.js';
import type { KindeEmulatorInvalidKeyAnswer, KindeEmulatorOptions } from './options.js';
import { type SigningKeys, type TokenClaims, TokenIssuer } from './token-issuer.js';

/** State of one emulated Kinde environment, which the endpoints read and change. */
export interface EmulatedKinde {
  /** Origin, `http://127.0.0.1:<port>`. */
  readonly domain: string;
  /** Audiences of the Management API. A client may use the host `localhost` as well. */
  readonly managementAudiences: readonly string[];
  readonly applications: ApplicationRegistry;
  readonly tokens: TokenIssuer;
  readonly keys: KeyStore;
  readonly apis: ApiCatalogue;
  readonly counters: EmulatorCounters;
  readonly callLimit: CallLimit | undefined;
  invalidKeyAnswer: KindeEmulatorInvalidKeyAnswer;
}

/** Creates an environment without applications and keys. @throws {TypeError} If `options.apis` is not valid. */
export function newEmulatedKinde(port: number, keys: SigningKeys, options: KindeEmulatorOptions): EmulatedKinde {
  const domain = `http://127.0.0.1:${port}`;
  const clock: Clock = options.clock ?? new SystemClock();
  const managementAudiences = [`${domain}/api`, `http://localhost:${port}/api`];
  const apis = new ApiCatalogue(`${domain}/api`, options.apis);
  return {
    domain,
    managementAudiences,
    applications: new ApplicationRegistry(managementAudiences),
    tokens: new TokenIssuer(domain, clock, keys),
    keys: new KeyStore(clock, apis.defaultApiId),
    apis,
    counters: newCounters(),
    callLimit: options.callLimit && new CallLimit(options.callLimit, clock),
    invalidKeyAnswer: options.invalidKeyAnswer ?? '200',
  };
}

/**
 * Answers a call of the Management API if its token is valid and has `scope`.
 *
 * @returns The result of `answer`, or 401 for the token, or 403 for the scope.
 */
export function withScope(
  kinde: EmulatedKinde,
  request: EmulatorRequest,
  scope: string,
  answer: (caller: TokenClaims) => EmulatorAnswer,
): EmulatorAnswer {
  const bearer = /^bearer ([^\s]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const caller = bearer === undefined ? undefined : kinde.tokens.check(bearer, kinde.managementAudiences);
  if (!caller) return errorAnswer(401, 'INVALID_CREDENTIALS', 'Invalid credentials used to access API');
  if (!caller.scopes.includes(scope)) return errorAnswer(403, 'SCOPE_MISSING', `Scope missing: ${scope}`);
  return answer(caller);
}

/** Parses a request's body as a JSON object. Returns `undefined` for anything else. */
export function jsonObjectOf(request: EmulatorRequest): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(request.body.toString());
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
