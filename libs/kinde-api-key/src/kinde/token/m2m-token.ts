import { Wait, type Clock } from '../../clock.js';
import { KindeApiKeyMisconfiguredError } from '../../kinde-api-key.errors.js';
import { untilAborted } from '../limits/deadline.js';
import { VerificationFailure } from '../verification-failure.js';
import type { AccessToken } from './access-token.js';
import type { TokenCheck } from './token-check.js';
import { REFUSAL_KEPT_SECONDS, UnusableMint } from './token-endpoint.js';

/** Time between a failed renewal in the background and the next, in milliseconds. */
const RENEWAL_PAUSE_MS = 10_000;
/** Shortest and longest time between two renewals that a rejection causes, in milliseconds. */
const FORCED_EVERY_MS = 60_000;
const FORCED_SELDOM_MS = 3_600_000;
/** The first pause after a renewal that failed, or brought a token that is over. It doubles up to a minute. Kinde bills no failed mint. */
const RETRY_MS = 1_000;
/** A token that verify accepted in this time is not renewed on mere suspicion, in milliseconds. */
const ACCEPTED_LATELY_MS = 120_000;

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
 * ends. Kinde counts and bills mints, so rejections cause at most one mint a minute.
 */
export class M2mToken {
  #current: AccessToken | undefined;
  #minting: Promise<AccessToken> | undefined;
  /** The last call in which verify accepted a key with a token. */
  #acceptance: { readonly token: AccessToken; readonly keyId: string; readonly sentAtMs: number } | undefined;
  /** The last mint, if it must not be repeated yet. */
  #keptError: Error | undefined;
  readonly #keptWait: Wait;
  readonly #renewalWait: Wait;
  #forcing: Promise<AccessToken> | undefined;
  #forcedError: Error | undefined;
  readonly #forcedWait: Wait;
  #forcedPauseMs = 0;
  #retryMs = RETRY_MS;

  /** @param onRenewalFailed called when a renewal in the background failed */
  constructor(
    private readonly endpoint: Mint,
    private readonly check: Pick<TokenCheck, 'stateOf'>,
    private readonly clock: Clock,
    private readonly onRenewalFailed: (error: Error) => void,
  ) {
    this.#keptWait = new Wait(clock);
    this.#renewalWait = new Wait(clock);
    this.#forcedWait = new Wait(clock);
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
    if (!this.#current || nowMs < this.#current.renewAtMs || this.#renewalWait.remainingMs > 0 || this.#minting) return;
    this.#mint().catch((error: Error) => {
      this.#renewalWait.start(RENEWAL_PAUSE_MS);
      this.onRenewalFailed(error);
    });
  }

  /** Notes that verify answered 200 and accepted a key, to a call with this token. */
  accepted(token: AccessToken, keyId: string, sentAtMs: number): void {
    // A late answer to a call with an earlier token says nothing about the current one.
    if (token === this.#current) this.#acceptance = { token, keyId, sentAtMs };
  }

  /**
   * Decides what a 401 or 403 of verify means. Kinde documents neither what it answers to a bad key nor to a bad token, so a key is refused
   * only with a token that is known to be good: verify accepted it before, and a {@link TokenCheck} that was sent after the rejection
   * says that Kinde still takes it.
   *
   * | has verify accepted the token? | the check says | result |
   * | --- | --- | --- |
   * | it was replaced, or expired | | the current token |
   * | yes | good | `key_refused` |
   * | yes | rejected | a renewed token if a renewal is due, else `undefined` |
   * | yes, within two minutes | unclear | `undefined` |
   * | yes, longer ago | unclear | a renewed token if a renewal is due, else `undefined` |
   * | never | | a renewed token if a renewal is due, else `undefined` |
   *
   * A renewal is due a minute after the last one. If that one brought a token that verify never accepted, the minute doubles, up to an hour.
   * After a renewal that failed, or brought a token that is over by its own claims, the next is due after 1, 2, 4 … 60 s.
   *
   * @returns `undefined` if token and key may both be the cause: nothing is known about the key
   * @throws {KindeApiKeyMisconfiguredError} if Kinde rejects the credentials
   * @throws {VerificationFailure} if the renewal fails, and until the next is due
   */
  async afterRejection(rejected: AccessToken, signal: AbortSignal): Promise<AccessToken | 'key_refused' | undefined> {
    if (!this.#isUsable(rejected)) return this.current(signal);
    if (this.#acceptance?.token === rejected) {
      const { keyId, sentAtMs } = this.#acceptance;
      const state = await this.check.stateOf(rejected, keyId, signal);
      if (state === 'good') return 'key_refused';
      if (!this.#isUsable(rejected)) return this.current(signal);
      const ageMs = this.clock.now() - sentAtMs;
      if (state === 'unclear' && ageMs >= 0 && ageMs < ACCEPTED_LATELY_MS) return undefined;
    }
    if (this.#forcedWait.remainingMs === 0) this.#forcing ??= this.#force(rejected);
    if (!this.#forcing) {
      if (this.#forcedError) throw this.#forcedError;
      return undefined;
    }
    const renewed = await untilAborted(this.#forcing, signal);
    return renewed === rejected ? undefined : renewed;
  }

  #isUsable(token: AccessToken): boolean {
    return token === this.#current && this.clock.now() < token.usableUntilMs;
  }

  async #force(rejected: AccessToken): Promise<AccessToken> {
    const wasUseful = this.#acceptance?.token === rejected;
    try {
      this.#forcedError = undefined;
      const token = await this.#mint(true);
      if (token.isOverBy(this.clock.now())) {
        this.#retryLater();
        return token;
      }
      const pauseMs = wasUseful ? FORCED_EVERY_MS : Math.max(FORCED_EVERY_MS, this.#forcedPauseMs * 2);
      this.#forcedPauseMs = Math.min(FORCED_SELDOM_MS, pauseMs);
      this.#forcedWait.start(this.#forcedPauseMs);
      this.#retryMs = RETRY_MS;
      return token;
    } catch (error) {
      this.#forcedError = error as Error;
      this.#retryLater();
      throw error;
    } finally {
      this.#forcing = undefined;
    }
  }

  #retryLater(): void {
    this.#forcedWait.start(this.#retryMs);
    this.#retryMs = Math.min(FORCED_EVERY_MS, this.#retryMs * 2);
  }

  #mint(isForced = false): Promise<AccessToken> {
    this.#minting ??= this.#mintOnce(isForced).finally(() => (this.#minting = undefined));
    return this.#minting;
  }

  async #mintOnce(isForced: boolean): Promise<AccessToken> {
    if (this.#keptError && this.#keptWait.remainingMs > 0) throw this.#keptError;
    try {
      const token = await this.endpoint.mint({ held: this.#current, isForced });
      if (this.clock.now() >= token.usableUntilMs) throw new UnusableMint('the M2M token had expired when it arrived');
      this.#current = token;
      this.#keptError = undefined;
      this.#forcedError = undefined;
      return token;
    } catch (error) {
      if (error instanceof KindeApiKeyMisconfiguredError || error instanceof UnusableMint) {
        this.#keptError = error;
        this.#keptWait.start(REFUSAL_KEPT_SECONDS * 1_000);
      }
      throw error;
    }
  }
}
