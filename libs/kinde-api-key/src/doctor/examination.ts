import type { RawKey } from '../api-key/raw-key.js';
import type { ResolvedOptions } from '../config/resolved-options.js';
import { KindeTransportError, type KindeRequest, type KindeResponse } from '../kinde/http.js';
import type { RegisteredApi } from '../kinde/answers/apis-answer.js';
import type { KindeConnection } from '../kinde/kinde-connection.js';
import type { RouteRule } from '../rules/route-rule.js';
import type { Finding } from './finding.js';

/** What a route of an app requires, for the checks that compare it with Kinde. */
export type RouteRequirement = Pick<RouteRule, 'route' | 'access'>;

/** What an examination starts from. */
export interface ExaminationSetup {
  readonly connection: KindeConnection;
  readonly options: Omit<ResolvedOptions['kinde'], 'clientSecret'>;
  /** Gets the M2M token. */
  readonly mint: (signal: AbortSignal) => Promise<string>;
  /** What the routes of the app require; `null` outside an app. */
  readonly routes: readonly RouteRequirement[] | null;
  /** The key to examine, if any. */
  readonly rawKey?: RawKey | undefined;
  /** Ends all calls. Default: each call has `kinde.timeoutMs` to itself. */
  readonly signal?: AbortSignal;
}

/** The registered APIs without Kinde's own. */
export interface RegisteredApiList {
  readonly apis: readonly RegisteredApi[];
  /** `false` if Kinde has more than could be read: then an API that is not in the list may exist. */
  readonly isComplete: boolean;
}

/** One examination: what the checks know, and what they learn for each other. Each check sends its own calls, and none is sent twice. */
export class Examination {
  /** The M2M token, once the check of the credentials has one. A secret. */
  token: string | undefined;
  /** The scopes of the token, by its own claims. */
  grantedScopes: readonly string[] = [];
  /** The registered APIs, if the token may list them. */
  registered: RegisteredApiList | undefined;

  readonly connection: KindeConnection;
  readonly options: ExaminationSetup['options'];
  readonly routes: ExaminationSetup['routes'];
  readonly rawKey: RawKey | undefined;
  readonly #mint: ExaminationSetup['mint'];
  readonly #signal: AbortSignal | undefined;

  constructor({ connection, options, mint, routes, rawKey, signal }: ExaminationSetup) {
    this.connection = connection;
    this.options = options;
    this.routes = routes;
    this.rawKey = rawKey;
    this.#mint = mint;
    this.#signal = signal;
  }

  /** Gets the M2M token. @throws {KindeApiKeyMisconfiguredError} if Kinde rejects the credentials; any other error without a token */
  mint(): Promise<string> {
    return this.#mint(this.#deadline());
  }

  /** Sends one call with the M2M token, within `kinde.timeoutMs`. @throws {KindeTransportError} without an answer */
  ask(
    method: 'GET' | 'POST',
    path: string,
    { body, maxAnswerBytes }: { readonly body?: object; readonly maxAnswerBytes?: number } = {},
  ): Promise<KindeResponse> {
    const headers: Record<string, string> = this.token ? { authorization: `Bearer ${this.token}` } : {};
    if (body) headers['content-type'] = 'application/json';
    const url = `${this.connection.origin}${path}`;
    return this.send({ method, url, headers, maxAnswerBytes, ...(body && { body: JSON.stringify(body) }) });
  }

  /** Sends one call within `kinde.timeoutMs`. @throws {KindeTransportError} without an answer */
  send(request: KindeRequest): Promise<KindeResponse> {
    return this.connection.http.send(request, this.#deadline());
  }

  #deadline(): AbortSignal {
    return this.#signal ?? AbortSignal.timeout(this.connection.timeoutMs);
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
