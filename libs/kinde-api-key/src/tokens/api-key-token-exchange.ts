import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { RawKey } from '../api-key/raw-key.js';
import { Wait, type Clock } from '../clock.js';
import { option, readArgument, type OptionalIn } from '../config/option-kinds.js';
import { KindeTokenExchangeError } from '../kinde-api-key.errors.js';
import type { OAuthRefusal } from '../kinde/answers/m2m-answer.js';
import { KINDE_CONNECTION, type KindeConnection } from '../kinde/kinde-connection.js';
import { AccessToken } from '../kinde/token/access-token.js';
import { VerificationFailure } from '../kinde/verification-failure.js';
import { exchangeError, TokenExchangeCall } from './token-exchange-call.js';

/** Maximum number of tokens in memory. When full, the least recently used one is evicted. */
const MAX_TOKENS = 1_000;
/** Maximum number of failures in memory. Kept apart from tokens, so that bad keys cannot evict good ones. */
const MAX_FAILURES = 1_000;
/** Maximum number of exchanges in flight. */
const MAX_IN_FLIGHT = 64;
/** A refused exchange is not repeated for this time, in milliseconds. */
const REFUSAL_KEPT_MS = 10_000;

/** RFC 6749 §3.3 `scope-token`. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** Maximum number of characters of all scopes. */
const LONGEST_SCOPE = 2_048;

const wordsOf = (scope: unknown): unknown[] => (typeof scope === 'string' ? scope.split(' ') : [scope].flat());
const isScope = (scope: unknown): boolean => {
  const words = wordsOf(scope);
  return (
    words.length > 0 &&
    words.every((word) => typeof word === 'string' && SCOPE.test(word)) &&
    words.join(' ').length <= LONGEST_SCOPE
  );
};

const TOKEN_OPTIONS = {
  /** The scopes to request, as a text with one blank between two, or as a list. At most 2,048 characters. Default `'openid profile'`. */
  scope: option<string | readonly string[]>({
    takes: "scopes as a text or a list, e.g. 'openid profile'",
    accepts: isScope,
    default: 'openid profile',
    absent: 'openid profile',
  }),
};

/** Options of {@link ApiKeyTokenExchange.tokenFor}. */
export interface ApiKeyTokenOptions extends OptionalIn<typeof TOKEN_OPTIONS> {}

/** Why there is no token. Each caller gets an error of its own. */
type Failure = OAuthRefusal | VerificationFailure;

interface HeldFailure {
  readonly failure: Failure;
  readonly wait: Wait;
}

/**
 * Exchanges API keys for access tokens, as Kinde's troubleshooting page shows it. For a service that calls another API with a customer's key: add it
 * to the `providers` of a module.
 *
 * A token is cached per key and scopes, and renewed before it expires. It outlives a key that is revoked meanwhile: verify the key first, as the
 * guard does. Since May 2026 Kinde's page shows the client credentials of an M2M application instead: try whether your Kinde environment offers
 * the exchange before you build on it.
 */
@Injectable()
export class ApiKeyTokenExchange {
  readonly #clock: Clock;
  readonly #call: TokenExchangeCall;
  /** By digest of the key, and scopes. */
  readonly #tokens = new LRUCache<string, AccessToken>({ max: MAX_TOKENS });
  readonly #failures = new LRUCache<string, HeldFailure>({ max: MAX_FAILURES });
  readonly #inFlight = new Map<string, Promise<AccessToken | Failure>>();
  /** After a 429 of Kinde, which concerns every key. */
  readonly #throttled: Wait;

  /** @internal */
  constructor(@Inject(KINDE_CONNECTION) connection: KindeConnection) {
    this.#clock = connection.clock;
    this.#call = new TokenExchangeCall(connection);
    this.#throttled = new Wait(connection.clock);
  }

  /**
   * Returns an access token for an API key. It is usable for 30 s at least, or for a tenth of its life if that is shorter. Concurrent calls share one
   * exchange. After a refusal, Kinde is not asked about the same key and scopes for ten seconds.
   *
   * @param rawKey the API key, as the customer has it
   * @throws {KindeTokenExchangeError} INVALID_CLIENT, UNAUTHORIZED_CLIENT, INVALID_SCOPE or INVALID_REQUEST
   * @throws {KindeApiKeyUnavailableError} VERIFICATION_UNAVAILABLE if Kinde does not answer as it should; a later retry helps
   * @throws {TypeError} if `scope` is not a text or a list of scopes
   */
  async tokenFor(rawKey: string, options: ApiKeyTokenOptions = {}): Promise<string> {
    const { scope } = readArgument(
      TOKEN_OPTIONS,
      options,
      'tokenFor',
      ", e.g. tokenFor(key, { scope: 'openid profile' })",
    );
    const key = RawKey.parse(rawKey);
    if (!key) throw new KindeTokenExchangeError('INVALID_CLIENT', 'The text is not an API key. Kinde was not asked');
    const scopes = [...new Set(wordsOf(scope) as string[])].toSorted().join(' ');
    const id = `${key.digest}${scopes}`;
    const cached = this.#tokens.get(id);
    const nowMs = this.#clock.now();
    // A token that was sent for in the future dates from before the clock was set back.
    if (cached && cached.sentAtMs <= nowMs && nowMs < cached.usableUntilMs) {
      if (nowMs >= cached.renewAtMs) void this.#exchange(id, key, scopes);
      return cached.reveal();
    }
    const outcome = await this.#exchange(id, key, scopes);
    if (outcome instanceof AccessToken) return outcome.reveal();
    throw typeof outcome === 'string' ? exchangeError(outcome) : outcome.toUnavailable();
  }

  /** Never rejects. */
  #exchange(id: string, key: RawKey, scopes: string): Promise<AccessToken | Failure> {
    const inFlight = this.#inFlight.get(id);
    if (inFlight) return inFlight;
    const failure = this.#heldBack(id);
    if (failure) return Promise.resolve(failure);
    const exchange = this.#send(id, key, scopes).finally(() => this.#inFlight.delete(id));
    this.#inFlight.set(id, exchange);
    return exchange;
  }

  /** Returns why Kinde is not asked now. */
  #heldBack(id: string): Failure | undefined {
    const held = this.#failures.get(id);
    if (held && held.wait.remainingMs > 0)
      return typeof held.failure === 'string' ? held.failure : again(held.failure, held.wait);
    if (this.#throttled.remainingMs > 0)
      return again(new VerificationFailure('throttled', 'Kinde asks this service to slow down (429)'), this.#throttled);
    if (this.#inFlight.size < MAX_IN_FLIGHT) return undefined;
    return new VerificationFailure('busy', `${MAX_IN_FLIGHT} exchanges of API keys are in flight`);
  }

  async #send(id: string, key: RawKey, scopes: string): Promise<AccessToken | Failure> {
    const outcome = await this.#call.send(key, scopes).catch((error: unknown) => error as VerificationFailure);
    if (outcome instanceof AccessToken) {
      this.#failures.delete(id);
      this.#tokens.set(id, outcome);
      return outcome;
    }
    // Kinde no longer accepts the key, so its token is not handed out any more.
    if (typeof outcome === 'string') this.#tokens.delete(id);
    this.#hold(id, outcome);
    return outcome;
  }

  #hold(id: string, failure: Failure): void {
    const holdMs = typeof failure === 'string' ? REFUSAL_KEPT_MS : failure.retryAfterSeconds * 1_000;
    const wait = new Wait(this.#clock);
    wait.start(holdMs);
    this.#failures.set(id, { failure, wait });
    if (typeof failure !== 'string' && failure.kind === 'throttled') this.#throttled.start(holdMs);
  }
}

/** Returns a failure with the rest of its wait. */
function again({ kind, message, cause }: VerificationFailure, wait: Wait): VerificationFailure {
  return new VerificationFailure(kind, message, { retryAfterSeconds: Math.ceil(wait.remainingMs / 1_000), cause });
}
