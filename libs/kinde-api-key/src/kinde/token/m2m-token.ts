import type { Clock } from '../../clock.js';
import { KindeApiKeyMisconfiguredError } from '../../kinde-api-key.errors.js';
import { untilAborted } from '../limits/deadline.js';
import { VerificationFailure } from '../verification-failure.js';
import type { AccessToken } from './access-token.js';
import { REFUSAL_KEPT_SECONDS } from './token-endpoint.js';

/** Time between a failed renewal in the background and the next, in milliseconds. */
const RENEWAL_PAUSE_MS = 10_000;
/** A token that Kinde rejects is renewed ahead of time at most once in this time, in milliseconds. */
const FORCED_RENEWAL_EVERY_MS = 60_000;

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
  #current: AccessToken | undefined;
  #minting: Promise<AccessToken> | undefined;
  #kept: { readonly error: Error; readonly untilMs: number } | undefined;
  #noRenewalUntilMs = Number.NEGATIVE_INFINITY;
  #forcedAtMs = Number.NEGATIVE_INFINITY;
  /** The last forced renewal, until a mint succeeds. */
  #forced: Promise<AccessToken> | undefined;

  /** @param onRenewalFailed called when a renewal in the background failed */
  constructor(
    private readonly endpoint: Mint,
    private readonly clock: Clock,
    private readonly onRenewalFailed: (error: Error) => void,
  ) {}

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
    if (!this.#current || nowMs < this.#current.renewAtMs || nowMs < this.#noRenewalUntilMs || this.#minting) return;
    this.#mint().catch((error: Error) => {
      this.#noRenewalUntilMs = this.clock.now() + RENEWAL_PAUSE_MS;
      this.onRenewalFailed(error);
    });
  }

  /**
   * Finds another token after Kinde answered 401 or 403. The cause can be the token or the key, so a token is renewed for it at most once
   * a minute.
   *
   * @returns another token, to be tried once; `undefined` if the token was renewed within the last minute, so that the key is to blame
   * @throws {KindeApiKeyMisconfiguredError} if Kinde rejects the credentials
   * @throws {VerificationFailure} for a minute after a renewal that failed, because the cause is unknown
   */
  async renewAfterRejection(rejected: AccessToken, signal: AbortSignal): Promise<AccessToken | undefined> {
    const nowMs = this.clock.now();
    // The token was replaced or expired meanwhile: the rejection does not concern the key.
    if (rejected !== this.#current || nowMs >= rejected.usableUntilMs) return this.current(signal);
    if (nowMs - this.#forcedAtMs >= FORCED_RENEWAL_EVERY_MS) {
      this.#forcedAtMs = nowMs;
      this.#forced = this.#mint(true);
    }
    if (!this.#forced) return undefined;
    const renewed = await untilAborted(this.#forced, signal);
    return renewed === rejected ? undefined : renewed;
  }

  #mint(isForced = false): Promise<AccessToken> {
    this.#minting ??= this.#mintOnce(isForced).finally(() => (this.#minting = undefined));
    return this.#minting;
  }

  async #mintOnce(isForced: boolean): Promise<AccessToken> {
    if (this.#kept && this.clock.now() < this.#kept.untilMs) throw this.#kept.error;
    try {
      const token = await this.endpoint.mint({ held: this.#current, isForced });
      if (this.clock.now() >= token.usableUntilMs)
        throw this.#keep(new VerificationFailure('kinde', 'the M2M token had expired when it arrived'));
      this.#current = token;
      this.#forced = undefined;
      return token;
    } catch (error) {
      throw error instanceof KindeApiKeyMisconfiguredError ? this.#keep(error) : error;
    }
  }

  #keep(error: Error): Error {
    this.#kept = { error, untilMs: this.clock.now() + REFUSAL_KEPT_SECONDS * 1_000 };
    return error;
  }
}
