import type { RawKey } from '../../api-key/raw-key.js';
import type { Clock } from '../../clock.js';
import { missingPermission, saysExpired, saysScopeIsMissing } from '../answers/m2m-claims.js';
import { untilAborted } from '../limits/deadline.js';
import { misconfigured, WHERE } from '../misconfigured.js';
import { VerificationFailure } from '../verification-failure.js';
import type { AccessToken } from './access-token.js';
import type { M2mToken } from './m2m-token.js';

/** A token of this age counts as known to the verify endpoint, in milliseconds. */
const KNOWN_AFTER_MS = 10_000;

/** A 401 or 403 of the verify endpoint. */
export interface Rejection {
  readonly token: AccessToken;
  readonly key: RawKey;
  readonly body: string;
  /** What {@link TokenRejections.isKnown} said when the call was sent. */
  readonly wasKnown: boolean;
}

/**
 * Decides whether a 401 or 403 of the verify endpoint concerns the key or the M2M token: the status does not tell. A key is refused only if
 * Kinde accepts the token afterwards, for a call that does not depend on the key. The first row that applies decides:
 *
 * | the token | checked after the rejection | what happens |
 * | --- | --- | --- |
 * | was replaced or expired meanwhile | not checked | the key is tried with the current token |
 * | lacks a scope, as the body says | not checked | the token is renewed |
 * | any | rejected | the token is renewed |
 * | was known to verify when the call was sent | accepted | the key is refused |
 * | is new to verify | accepted | 503: verify may not know the token yet |
 * | any | no usable answer | 503, like any outage |
 *
 * A renewal brings another token, with which the key is tried. Otherwise the answer is 503: misconfigured, if the token's claims or the body
 * say what is missing. Renewals are at least a minute apart. The pause doubles up to an hour, until a renewed token is
 * accepted with the key that the one before was rejected with.
 */
export class TokenRejections {
  /** The last token with which verify gave a verdict. */
  #accepted: AccessToken | undefined;
  /** Digest of the key for which the token was renewed last. */
  #renewedFor: string | undefined;
  #lastCheck: Promise<unknown> = Promise.resolve();
  #nextCheck: { readonly token: AccessToken; readonly isAccepted: Promise<boolean> } | undefined;

  /**
   * @param audience of the M2M token
   * @param check asks Kinde whether it accepts a token
   */
  constructor(
    private readonly current: M2mToken,
    private readonly clock: Clock,
    private readonly audience: string,
    private readonly check: (token: AccessToken) => Promise<boolean>,
  ) {}

  /** Whether verify is known to know the token: it gave a verdict with it before, or the token is 10 s old. */
  isKnown(token: AccessToken): boolean {
    return token === this.#accepted || this.clock.now() - token.sentAtMs >= KNOWN_AFTER_MS;
  }

  /** Call it for every verdict that verify gives. It shows that verify accepts the token. */
  answered(token: AccessToken, key: RawKey): void {
    this.#accepted = token;
    if (key.digest !== this.#renewedFor) return;
    this.#renewedFor = undefined;
    this.current.renewalHelped();
  }

  /**
   * @returns the token to try the key with; `undefined` if the key is to blame
   * @throws {KindeApiKeyMisconfiguredError} if the M2M application has to be fixed in Kinde
   * @throws {VerificationFailure} if the token is to blame, or if it is unknown what is
   */
  async resolve({ token, key, body, wasKnown }: Rejection, signal: AbortSignal): Promise<AccessToken | undefined> {
    const isScopeMissing = saysScopeIsMissing(body, key.reveal());
    if (this.current.isInUse(token) && !isScopeMissing && (await untilAborted(this.#checkOnce(token), signal))) {
      if (wasKnown) return undefined;
      throw new VerificationFailure('kinde', "Kinde's verify endpoint does not accept the new M2M token yet");
    }
    const renewed = await this.current.renewAfterRejection(token, signal);
    if (!renewed) throw this.#failure(token, isScopeMissing);
    this.#renewedFor = key.digest;
    return renewed;
  }

  /**
   * Finds another token after a call other than verify was rejected, if it is the token that Kinde rejects.
   *
   * @returns the token to try the call with; `undefined` if Kinde accepts this one, or during the pause after a renewal
   * @throws like {@link resolve}
   */
  async renewIfRejected(token: AccessToken, signal: AbortSignal): Promise<AccessToken | undefined> {
    if (this.current.isInUse(token) && (await untilAborted(this.#checkOnce(token), signal))) return undefined;
    return this.current.renewAfterRejection(token, signal);
  }

  /** Joins only a check that was not sent yet: a check from before the rejection proves nothing about it. */
  #checkOnce(token: AccessToken): Promise<boolean> {
    if (this.#nextCheck?.token !== token) {
      const isAccepted = this.#lastCheck.then(() => {
        this.#nextCheck = undefined;
        return this.check(token);
      });
      this.#nextCheck = { token, isAccepted };
      this.#lastCheck = isAccepted.catch(() => undefined);
    }
    return this.#nextCheck.isAccepted;
  }

  #failure(token: AccessToken, isScopeMissing: boolean): Error {
    const retryAfterSeconds = Math.ceil(this.current.forcedPauseMs / 1_000);
    const missing = missingPermission(token.reveal(), this.audience) ?? (isScopeMissing ? 'scope' : undefined);
    if (missing) return misconfigured(missing, retryAfterSeconds);
    const hint = saysExpired(token.reveal(), this.clock.now())
      ? ', which has expired by its own claims. Check the clock of this machine'
      : `. Check that the application is authorized in ${WHERE} > APIs`;
    return new VerificationFailure('kinde', `Kinde rejects the M2M token${hint}`, { retryAfterSeconds });
  }
}
