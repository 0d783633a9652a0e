/** Every code that a {@link KindeApiKeyError} can carry. */
export type KindeApiKeyErrorCode =
  | 'VERIFICATION_UNAVAILABLE'
  | 'VERIFICATION_MISCONFIGURED'
  | 'INVALID_CONFIGURATION'
  | 'INVALID_TOKEN'
  | 'TOKEN_EXPIRED'
  | KindeTokenExchangeErrorCode
  | KindeApiKeyManagementErrorCode;

/** Why Kinde does not exchange an API key for a token (RFC 6749 §5.2, in upper case). */
export type KindeTokenExchangeErrorCode =
  'INVALID_CLIENT' | 'UNAUTHORIZED_CLIENT' | 'INVALID_SCOPE' | 'INVALID_REQUEST';

/**
 * Why a call of `ApiKeysService` failed:
 * - `NOT_FOUND`: Kinde has no key with this id
 * - `PERMISSION_MISSING`: the M2M application lacks a scope; the message names it, and where to grant it
 * - `INVALID_INPUT`: an argument is wrong; the message says which
 * - `THROTTLED`: Kinde answered 429 and did nothing
 * - `UNAVAILABLE`: Kinde did not answer, or with something that cannot be used
 */
export type KindeApiKeyManagementErrorCode =
  'NOT_FOUND' | 'PERMISSION_MISSING' | 'INVALID_INPUT' | 'THROTTLED' | 'UNAVAILABLE';

/**
 * @internal Whether a value is an instance of a class, or of the class with the same name in another copy of the library. So `instanceof` and
 * exception filters work across copies. Subclasses of the app are compared as usual.
 *
 * @param names `name` of such errors; empty for a subclass of the app
 */
export function isInstanceInAnyCopy(owner: object, value: unknown, names: readonly string[]): boolean {
  if (Object.prototype.isPrototypeOf.call((owner as { prototype: object }).prototype, Object(value))) return true;
  return value instanceof Error && names.includes(value.name) && typeof (value as { code?: unknown }).code === 'string';
}

/** Base of the library's errors: a stable `code` to branch on, and no secret at any depth. */
export abstract class KindeApiKeyError extends Error {
  /** Stable, for programs; the message is for people and may change. */
  abstract readonly code: KindeApiKeyErrorCode;

  static override [Symbol.hasInstance](value: unknown): boolean {
    return isInstanceInAnyCopy(this, value, namesOf(this));
  }
}

/** What is wrong with the M2M application. */
export type MisconfigurationReason =
  'invalid_client' | 'unauthorized_client' | 'invalid_scope' | 'invalid_request' | 'audience' | 'scope';

abstract class KindeApiKeyVerificationError extends KindeApiKeyError {
  /** How long a client should wait before a retry, in whole seconds, at least 1. */
  readonly retryAfterSeconds: number;

  /** @param options `cause` says what happened, without secrets. Never the HTTP client's own error: that one carries the key */
  constructor(message: string, options: { readonly retryAfterSeconds: number; readonly cause?: Error }) {
    super(message, options);
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/**
 * Kinde could not be asked, or its answer is not usable: nothing is known about the key.
 * The guard answers 503 `VERIFICATION_UNAVAILABLE`. A later retry helps.
 */
export class KindeApiKeyUnavailableError extends KindeApiKeyVerificationError {
  override readonly name = 'KindeApiKeyUnavailableError';
  readonly code = 'VERIFICATION_UNAVAILABLE';
}

/**
 * Kinde rejects this service's own M2M credentials, or they lack the scope `read:api_keys`. Keys cannot be verified until the application is
 * fixed in Kinde. The guard answers 503 `VERIFICATION_MISCONFIGURED`; the message says what to change and where.
 */
export class KindeApiKeyMisconfiguredError extends KindeApiKeyVerificationError {
  override readonly name = 'KindeApiKeyMisconfiguredError';
  readonly code = 'VERIFICATION_MISCONFIGURED';
  /** What is wrong, for programs: an OAuth error of the token endpoint, or what the M2M token lacks. */
  readonly reason: MisconfigurationReason | undefined;

  constructor(
    message: string,
    options: ConstructorParameters<typeof KindeApiKeyVerificationError>[1] & {
      readonly reason?: MisconfigurationReason;
    },
  ) {
    super(message, options);
    this.reason = options.reason;
  }
}

/**
 * An access token is not acceptable here: its signature, issuer, audience or shape is wrong (`INVALID_TOKEN`), or its time is over
 * (`TOKEN_EXPIRED`). The guard answers 401 with the same code.
 */
export class KindeAccessTokenError extends KindeApiKeyError {
  override readonly name = 'KindeAccessTokenError';

  /** @param message says what is wrong, without any part of the token */
  constructor(
    readonly code: 'INVALID_TOKEN' | 'TOKEN_EXPIRED',
    message: string,
  ) {
    super(message);
  }
}

/** Kinde does not exchange an API key for an access token. A retry does not help; the message says what does. */
export class KindeTokenExchangeError extends KindeApiKeyError {
  override readonly name = 'KindeTokenExchangeError';

  /** @param message says what to change and where, without the key */
  constructor(
    readonly code: KindeTokenExchangeErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A call of `ApiKeysService` failed. The message is for operators, and contains neither a key nor any text of Kinde's answer. */
export class KindeApiKeyManagementError extends KindeApiKeyError {
  override readonly name = 'KindeApiKeyManagementError';
  /** How long to wait before another try, in whole seconds; `null` where waiting does not help. */
  readonly retryAfterSeconds: number | null;
  /**
   * Whether Kinde may have created, rotated or revoked the key all the same: the call was sent, and its answer was lost. `false`: Kinde
   * changed nothing.
   */
  readonly isOutcomeUnknown: boolean;

  constructor(
    readonly code: KindeApiKeyManagementErrorCode,
    message: string,
    options: { readonly retryAfterSeconds?: number | null; readonly isOutcomeUnknown?: boolean } = {},
  ) {
    super(message);
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.isOutcomeUnknown = options.isOutcomeUnknown ?? false;
  }
}

/** The module's options, or the rules on the app's routes, contradict themselves. The app does not boot. */
export class KindeApiKeyConfigurationError extends KindeApiKeyError {
  override readonly name = 'KindeApiKeyConfigurationError';
  readonly code = 'INVALID_CONFIGURATION';
  // Not a field: Nest logs a failed boot with `util.inspect`, which would print every problem again after the message.
  readonly #problems: readonly string[];

  /**
   * @param summary what was being checked
   * @param problems every problem that was found, each naming the option or handler, and the cure
   */
  constructor(summary: string, problems: readonly string[]) {
    super([summary, ...problems.map((problem) => `  - ${problem}`)].join('\n'));
    this.#problems = problems;
  }

  /** Every problem that was found, each naming the option or handler, and the cure. */
  get problems(): readonly string[] {
    return this.#problems;
  }
}

/** Returns the names of a class's errors. Empty for other classes, which a copy cannot have. */
function namesOf(owner: unknown): readonly string[] {
  const named = Object.entries({
    KindeApiKeyUnavailableError,
    KindeApiKeyMisconfiguredError,
    KindeAccessTokenError,
    KindeTokenExchangeError,
    KindeApiKeyManagementError,
    KindeApiKeyConfigurationError,
  });
  return named.filter(([, one]) => owner === KindeApiKeyError || owner === one).map(([name]) => name);
}
