import type { Clock } from '../../clock.js';
import { KindeApiKeyMisconfiguredError } from '../../kinde-api-key.errors.js';
import type { AccessToken } from './access-token.js';
import { untilAborted } from '../limits/deadline.js';
import { Outage } from '../outage.js';
import { REFUSAL_REMEMBERED_SECONDS } from './token-endpoint.js';

/** After a failed renewal in the background, the next one comes no sooner, in milliseconds. */
const RENEWAL_PAUSE_MS = 10_000;
/** A token that Kinde does not take is replaced ahead of its time at most once in this time, in milliseconds. */
const FORCED_RENEWAL_EVERY_MS = 60_000;

/** How a forced renewal went, or that it is still going on. */
type ForcedRenewal =
  | { readonly state: 'pending'; readonly token: Promise<AccessToken> }
  | { readonly state: 'good' }
  | { readonly state: 'failed'; readonly error: Error };

/** Why a token is fetched. */
export interface MintRequest {
  /** The token that is in use until now, if any: another one is wanted. */
  readonly held: AccessToken | undefined;
  /** Kinde did not take the token that is held. */
  readonly isForced: boolean;
}

/** What {@link M2mToken} needs of the token endpoint, or of whatever stands before it. */
export interface Mint {
  /** @returns a token; the one that is held only to say that a forced renewal has brought that one, less than a minute ago */
  mint(request: MintRequest): Promise<AccessToken>;
}

/**
 * The one M2M token of this registration: fetched when it is first needed, shared by all callers, renewed in the background before it
 * ends. Tokens are counted and billed by Kinde, so nothing that a stranger sends can make it fetch more than one a minute.
 */
export class M2mToken {
  readonly #endpoint: Mint;
  readonly #clock: Clock;
  readonly #onRenewalFailed: (error: Error) => void;
  #current: AccessToken | undefined;
  #minting: Promise<AccessToken> | undefined;
  #remembered: { readonly error: Error; readonly untilMs: number } | undefined;
  #renewedAgainAtMs = Number.NEGATIVE_INFINITY;
  #forced: ForcedRenewal | undefined;
  #forcedAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param endpoint mints
   * @param clock for ages and pauses
   * @param onRenewalFailed told about a renewal in the background that failed: nobody else hears of it
   */
  constructor(endpoint: Mint, clock: Clock, onRenewalFailed: (error: Error) => void) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#onRenewalFailed = onRenewalFailed;
  }

  /**
   * @param signal the caller's deadline. Giving up does not cancel the mint, for which others may be waiting
   * @returns a token that is not about to end
   * @throws {KindeApiKeyMisconfiguredError} if Kinde refuses the credentials, and for 10 s after it did
   * @throws {Outage} if no token can be had now
   */
  async current(signal: AbortSignal): Promise<AccessToken> {
    const token = this.#current;
    if (token && this.#clock.now() < token.usableUntilMs) return token;
    const othersBeganIt = this.#minting !== undefined;
    try {
      return await untilAborted(this.#mint(), signal);
    } catch (error) {
      // A mint that others began may have had hardly any time left when this caller came.
      if (!othersBeganIt || signal.aborted || !(error instanceof Outage)) throw error;
      return untilAborted(this.#mint(), signal);
    }
  }

  /**
   * Fetches the next token in the background if the current one has lived four fifths of its life. Called after Kinde gave an answer,
   * so that a Kinde in trouble is not asked for tokens on top.
   */
  renewAhead(): void {
    const nowMs = this.#clock.now();
    if (!this.#current || nowMs < this.#current.renewAtMs || nowMs < this.#renewedAgainAtMs || this.#minting) return;
    this.#mint().catch((error: Error) => {
      this.#renewedAgainAtMs = this.#clock.now() + RENEWAL_PAUSE_MS;
      this.#onRenewalFailed(error);
    });
  }

  /**
   * What to try after Kinde answered 401 or 403. That can be the token's fault or the key's, so it is found out at most once a minute.
   *
   * @param rejected the token that was sent
   * @param signal the caller's deadline
   * @returns another token than the rejected one, to be tried once; `undefined` if the token was replaced within the last minute: it
   *   is as good as Kinde gives, and the key is to blame
   * @throws {KindeApiKeyMisconfiguredError} if Kinde refuses the credentials
   * @throws {Outage} if the renewal failed: then nobody knows whose fault it is, for the whole minute
   */
  async renewAfterRejection(rejected: AccessToken, signal: AbortSignal): Promise<AccessToken | undefined> {
    const nowMs = this.#clock.now();
    // There is another one already, or this one has ended on the way: neither says anything about the key.
    if (rejected !== this.#current || nowMs >= rejected.usableUntilMs) return this.current(signal);
    if (!this.#forced || nowMs - this.#forcedAtMs >= FORCED_RENEWAL_EVERY_MS) this.#forceRenewal(nowMs);
    const forced = this.#forced as ForcedRenewal | undefined;
    if (forced?.state === 'pending') {
      const renewed = await untilAborted(forced.token, signal);
      return renewed === rejected ? undefined : renewed;
    }
    if (forced?.state === 'failed') throw forced.error;
    return undefined;
  }

  #forceRenewal(nowMs: number): void {
    const token = this.#mint(true);
    this.#forcedAtMs = nowMs;
    this.#forced = { state: 'pending', token };
    token.then(
      () => (this.#forced = { state: 'good' }),
      (error: Error) => (this.#forced = { state: 'failed', error }),
    );
  }

  #mint(isForced = false): Promise<AccessToken> {
    this.#minting ??= this.#mintOnce(isForced).finally(() => (this.#minting = undefined));
    return this.#minting;
  }

  async #mintOnce(isForced: boolean): Promise<AccessToken> {
    const remembered = this.#remembered;
    if (remembered && this.#clock.now() < remembered.untilMs) throw remembered.error;
    try {
      const token = await this.#endpoint.mint({ held: this.#current, isForced });
      if (this.#clock.now() >= token.usableUntilMs)
        throw this.#remember(new Outage('kinde', 'the M2M token had ended when it arrived'));
      this.#current = token;
      // A good token from anywhere answers the question that a failed renewal left open.
      if (this.#forced?.state === 'failed') this.#forced = { state: 'good' };
      return token;
    } catch (error) {
      throw error instanceof KindeApiKeyMisconfiguredError ? this.#remember(error) : error;
    }
  }

  #remember(error: Error): Error {
    this.#remembered = { error, untilMs: this.#clock.now() + REFUSAL_REMEMBERED_SECONDS * 1_000 };
    return error;
  }
}
