import type { Clock } from '../../clock.js';
import { KindeApiKeyMisconfiguredError } from '../../kinde-api-key.errors.js';
import { Backoff } from '../limits/backoff.js';
import { untilAborted } from '../limits/deadline.js';
import { VerificationFailure } from '../verification-failure.js';
import type { AccessToken } from './access-token.js';
import { REFUSAL_KEPT_SECONDS } from './token-endpoint.js';
import { UnusableMint } from './unusable-mint.js';

/** Time between a failed renewal in the background and the next, in milliseconds. */
const RENEWAL_PAUSE_MS = 10_000;
/** A token that Kinde rejects is renewed ahead of time at most once in this time, and ever more rarely while that does not help. */
const FORCED_RENEWAL_EVERY_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;
/** Time between a forced renewal that failed and the next. A failed mint is not billed. */
const RETRY_FIRST_MS = 1_000;
const RETRY_LONGEST_MS = 60_000;
/** Time after a mint that Kinde billed and that cannot be used. */
const UNUSABLE_FIRST_MS = 10_000;

/** Why a token is minted. */
export interface MintRequest {
  /** The current token, if there is one: another is wanted. */
  readonly held: AccessToken | undefined;
  /** Whether Kinde rejected the current token. */
  readonly isForced: boolean;
}

/** Mints tokens: the token endpoint, or what shares one token between instances. */
export interface Mint {
  /** Returns a token. It is the held one only if a forced renewal brought that one less than a minute ago */
  mint(request: MintRequest): Promise<AccessToken>;
}

/**
 * The one M2M token of this registration: minted when it is first needed, shared by all callers, renewed in the background before it
 * ends. Kinde counts and bills mints, so requests cannot cause more than one forced renewal a minute.
 */
export class M2mToken {
  readonly #aheadPause: Backoff;
  readonly #refusedPause: Backoff;
  readonly #unusablePause: Backoff;
  readonly #forcedPause: Backoff;
  readonly #retryPause: Backoff;
  #current: AccessToken | undefined;
  #minting: Promise<AccessToken> | undefined;
  #forced: Promise<AccessToken | undefined> | undefined;
  /** Why the last mint, or the last forced renewal, failed. Callers get it while the pause lasts. */
  #mintError: Error | undefined;
  #forcedError: Error | undefined;

  /** @param onRenewalFailed called when a renewal in the background failed */
  constructor(
    private readonly endpoint: Mint,
    private readonly clock: Clock,
    private readonly onRenewalFailed: (error: Error) => void,
  ) {
    this.#aheadPause = new Backoff(clock, RENEWAL_PAUSE_MS);
    this.#refusedPause = new Backoff(clock, REFUSAL_KEPT_SECONDS * 1_000);
    this.#unusablePause = new Backoff(clock, UNUSABLE_FIRST_MS, LONGEST_PAUSE_MS);
    this.#forcedPause = new Backoff(clock, FORCED_RENEWAL_EVERY_MS, LONGEST_PAUSE_MS);
    this.#retryPause = new Backoff(clock, RETRY_FIRST_MS, RETRY_LONGEST_MS);
  }

  /**
   * Returns a usable token. The caller's signal does not cancel the mint, because other callers may wait for it.
   *
   * @throws {KindeApiKeyMisconfiguredError} if Kinde rejects the credentials, and for 10 s after that
   * @throws {VerificationFailure} if a token cannot be had now
   */
  async current(signal: AbortSignal): Promise<AccessToken> {
    const token = this.#current;
    if (token && this.clock.now() < token.usableUntilMs) return token;
    const isJoining = this.#minting !== undefined;
    try {
      return await untilAborted(this.#mint(), signal);
    } catch (error) {
      // A mint that was in flight already may have had hardly any time left.
      if (!isJoining || signal.aborted || !(error instanceof VerificationFailure)) throw error;
      return untilAborted(this.#mint(), signal);
    }
  }

  /**
   * Renews the token in the background after four fifths of its life. Call it after Kinde answered, so that mints do not add to the load
   * of an outage.
   */
  renewAhead(): void {
    const nowMs = this.clock.now();
    if (!this.#current || nowMs < this.#current.renewAtMs || this.#aheadPause.remainingMs > 0 || this.#minting) return;
    this.#mint().catch((error: Error) => {
      this.#aheadPause.start();
      this.onRenewalFailed(error);
    });
  }

  /** Mints another token now, because permissions were granted after the current one was minted. The caller limits how often. */
  renew(): Promise<AccessToken> {
    return this.#mint();
  }

  /** Whether calls are sent with this token now: it was not replaced, and did not expire. */
  isInUse(token: AccessToken): boolean {
    return token === this.#current && this.clock.now() < token.usableUntilMs;
  }

  /** Milliseconds until a rejected token can be renewed again. */
  get forcedPauseMs(): number {
    return this.#forcedPause.remainingMs;
  }

  /** Makes the pause after a forced renewal a minute again, because a renewal helped. */
  renewalHelped(): void {
    this.#forcedPause.shorten();
  }

  /**
   * Finds another token after Kinde rejected one. Only a renewal that brought another token starts the pause.
   *
   * @returns another token, to be tried once; `undefined` during the pause after a renewal
   * @throws {KindeApiKeyMisconfiguredError} if Kinde rejects the credentials
   * @throws {VerificationFailure} if the renewal fails, and until it is tried again after 1, 2, 4 … s
   */
  async renewAfterRejection(rejected: AccessToken, signal: AbortSignal): Promise<AccessToken | undefined> {
    if (!this.isInUse(rejected)) return this.current(signal);
    this.#forced ??= this.#renew(rejected).finally(() => (this.#forced = undefined));
    return untilAborted(this.#forced, signal);
  }

  async #renew(rejected: AccessToken): Promise<AccessToken | undefined> {
    if (this.#forcedPause.remainingMs > 0) return undefined;
    if (this.#forcedError && this.#retryPause.remainingMs > 0) throw this.#forcedError;
    try {
      const renewed = await this.#mint(true);
      if (renewed === rejected)
        throw new VerificationFailure('kinde', 'another instance has just renewed the M2M token');
      this.#retryPause.reset();
      this.#forcedPause.start();
      return renewed.reveal() === rejected.reveal() ? undefined : renewed;
    } catch (error) {
      // A refusal has its own pause.
      if (error instanceof VerificationFailure) this.#retryPause.start();
      this.#forcedError = error as Error;
      throw error;
    }
  }

  #mint(isForced = false): Promise<AccessToken> {
    this.#minting ??= this.#mintOnce(isForced).finally(() => (this.#minting = undefined));
    return this.#minting;
  }

  async #mintOnce(isForced: boolean): Promise<AccessToken> {
    const isPaused = this.#refusedPause.remainingMs > 0 || this.#unusablePause.remainingMs > 0;
    if (this.#mintError && isPaused) throw this.#mintError;
    try {
      const token = await this.endpoint.mint({ held: this.#current, isForced });
      if (this.clock.now() >= token.usableUntilMs) throw new UnusableMint('the M2M token had expired when it arrived');
      this.#current = token;
      this.#unusablePause.reset();
      return token;
    } catch (error) {
      this.#mintError = error as Error;
      if (error instanceof KindeApiKeyMisconfiguredError) this.#refusedPause.start();
      if (error instanceof UnusableMint) this.#unusablePause.start();
      throw error;
    }
  }
}
