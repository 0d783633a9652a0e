import type { RawKey } from '../api-key/raw-key.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { ResolvedOptions } from '../config/resolved-options.js';
import { KindeTransportError, type KindeRequest, type KindeResponse } from '../kinde/http.js';
import type { KindeConnection } from '../kinde/kinde-connection.js';
import type { RegisteredApi } from '../kinde/answers/api-list.js';
import type { RouteRule } from '../rules/route-rule.js';
import type { Finding } from './finding.js';

/** What a route of an app requires, for the checks that compare it with Kinde. */
export type RouteRequirement = Pick<RouteRule, 'route' | 'access'>;

/** One examination: what the checks know, and what they learn for each other. Each check sends its own calls, and none is sent twice. */
export class Examination {
  /** The M2M token, once the check of the credentials has one. A secret. */
  token: string | undefined;
  /** Whether the token has the scope of the Management API, by its own claims. */
  grantedScopes: readonly string[] = [];
  /** The registered APIs without Kinde's own, if the token may list them. */
  apis: readonly RegisteredApi[] | undefined;
  /** The key to examine, once Kinde has accepted it. */
  apiKey: VerifiedApiKey | undefined;

  /**
   * @param mint asks for the M2M token
   * @param routes of the app; `null` outside an app
   * @param rawKey the key to examine, if any
   */
  constructor(
    readonly connection: KindeConnection,
    readonly options: Omit<ResolvedOptions['kinde'], 'clientSecret'>,
    readonly mint: (signal: AbortSignal) => Promise<string>,
    readonly routes: readonly RouteRequirement[] | null = null,
    readonly rawKey?: RawKey,
  ) {}

  /** Sends one call with the M2M token, within `kinde.timeoutMs`. @throws {KindeTransportError} without an answer */
  async ask(method: 'GET' | 'POST', path: string, body?: object): Promise<KindeResponse> {
    const headers: Record<string, string> = this.token ? { authorization: `Bearer ${this.token}` } : {};
    if (body) headers['content-type'] = 'application/json';
    const request: KindeRequest = {
      method,
      url: `${this.connection.origin}${path}`,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    };
    return this.send(request);
  }

  /** Sends one call within `kinde.timeoutMs`. @throws {KindeTransportError} without an answer */
  send(request: KindeRequest): Promise<KindeResponse> {
    return this.connection.http.send(request, AbortSignal.timeout(this.connection.timeoutMs));
  }
}

/** A check: what it found. It returns nothing where an earlier check has found why it cannot be made. */
export type Check = (examination: Examination) => Promise<readonly Finding[]>;

/** Returns an answer, or the error of a call without one. */
export async function answerOf(sent: Promise<KindeResponse>): Promise<KindeResponse | KindeTransportError> {
  try {
    return await sent;
  } catch (error) {
    if (error instanceof KindeTransportError) return error;
    throw error;
  }
}

/** Whether a call brought an answer. */
export function isAnswer(answer: KindeResponse | KindeTransportError): answer is KindeResponse {
  return !(answer instanceof KindeTransportError);
}
