import type { KeyObject } from 'node:crypto';
import { Wait } from '../clock.js';
import type { KindeConnection } from '../kinde/kinde-connection.js';
import { VerificationFailure } from '../kinde/verification-failure.js';
import { LogThrottle } from '../log.js';
import { parseJwksAnswer } from './jwks-answer.js';
import { KindeCalls } from './kinde-calls.js';

/** Kinde is asked for its keys at most once in this time, whatever tokens arrive, in milliseconds. */
const ASKED_ONCE_PER_MS = 30_000;
/** Older keys are fetched again in the background, in milliseconds. */
const FRESH_MS = 600_000;
/**
 * Older keys are not used, in milliseconds: a day. Until then keys outlive an outage of Kinde. The risk: a key that Kinde withdraws during the
 * outage stays in use for as long.
 */
const USED_MS = 86_400_000;
const LOGGED_ONCE_PER_MS = 60_000;

/** Kinde's public keys for access tokens, cached. Calls to Kinde are bounded in number, whatever the tokens say. */
export class SigningKeys {
  readonly #origin: string;
  readonly #connection: KindeConnection;
  readonly #calls: KindeCalls;
  readonly #messages: LogThrottle;
  #keys: ReadonlyMap<string, KeyObject> = new Map();
  readonly #fresh: Wait;
  readonly #used: Wait;
  /** Kinde is not asked until it is over. */
  readonly #pause: Wait;
  /** Why the last call failed. */
  #failure: VerificationFailure | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(connection: KindeConnection) {
    const { clock, origin } = connection;
    this.#origin = origin;
    this.#connection = connection;
    this.#calls = new KindeCalls(connection);
    this.#messages = new LogThrottle(clock, LOGGED_ONCE_PER_MS);
    this.#fresh = new Wait(clock);
    this.#used = new Wait(clock);
    this.#pause = new Wait(clock);
  }

  /**
   * Finds a key by its id. Fetches the keys for an unknown id, unless Kinde was asked within 30 s. Refreshes keys that are older than ten minutes
   * in the background.
   *
   * @returns the key, or `undefined` if Kinde's answer, at most 30 s old, does not have it
   * @throws {KindeApiKeyUnavailableError} if Kinde does not answer, so that it is not known whether the key exists
   */
  async find(kid: string): Promise<KeyObject | undefined> {
    const key = this.#current(kid);
    const isPaused = this.#pause.remainingMs > 0;
    if (key) {
      if (!isPaused && this.#fresh.remainingMs === 0) void this.#refresh();
      return key;
    }
    if (!isPaused) await this.#refresh();
    if (!this.#failure) return this.#current(kid);
    const { message, cause } = this.#failure;
    const retryAfterSeconds = Math.max(1, Math.ceil(this.#pause.remainingMs / 1_000));
    throw new VerificationFailure('kinde', message, { retryAfterSeconds, cause }).toUnavailable();
  }

  #current(kid: string): KeyObject | undefined {
    return this.#used.remainingMs > 0 ? this.#keys.get(kid) : undefined;
  }

  /** Never rejects. Callers share a call that is in flight. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#fetch().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #fetch(): Promise<void> {
    try {
      const request = { method: 'GET', url: `${this.#origin}/.well-known/jwks`, headers: {} } as const;
      const { answer } = await this.#calls.send(request, parseJwksAnswer);
      this.#keys = answer.keys;
      this.#failure = undefined;
      this.#fresh.start(FRESH_MS);
      this.#used.start(USED_MS);
      this.#pause.start(ASKED_ONCE_PER_MS);
    } catch (error) {
      this.#failed(error as VerificationFailure);
    }
  }

  #failed({ message, retryAfterSeconds, cause }: VerificationFailure): void {
    this.#failure = new VerificationFailure('kinde', `Kinde's signing keys cannot be read: ${message}`, { cause });
    this.#pause.start(Math.max(ASKED_ONCE_PER_MS, retryAfterSeconds * 1_000));
    if (!this.#messages.isDue(message)) return;
    this.#connection.log.warn(
      `${this.#failure.message}. Access tokens whose key is not cached get 503 until it answers`,
    );
  }
}
