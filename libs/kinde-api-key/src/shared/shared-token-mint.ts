import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { AccessToken } from '../kinde/token/access-token.js';
import type { Mint, MintRequest } from '../kinde/token/m2m-token.js';
import { pause } from '../kinde/limits/deadline.js';
import { VerificationFailure } from '../kinde/verification-failure.js';
import { MAX_SKEW_MS, type SharedSession } from './shared-store.js';
import type { SharedSecrets } from './shared-secrets.js';
import { openToken, sealToken } from './sealed-token.js';

/** A holder of the lock that dies holds the others up for at most this time, in milliseconds; one that lives goes on holding it. */
const LOCK_MS = 1_000;
const HELD_ON_EVERY_MS = 300;
/** Those who wait look again after 20 to 60 ms. */
const LOOK_AGAIN_MS = 20;
const LOOK_AGAIN_JITTER_MS = 40;
/** A token that a forced renewal has brought is as good as Kinde gives for this time, in milliseconds. */
const FORCED_EVERY_MS = 60_000;

/** See {@link SharedTokenMint}. */
export interface SharedTokenMintParts {
  readonly endpoint: Mint;
  readonly session: SharedSession;
  readonly keys: SharedSecrets;
  readonly clock: Clock;
  /** How long somebody else's mint is waited for, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * One M2M token for the fleet: the one in the shared store, else whoever gets the lock fetches one and all others wait for it. Where
 * the store is out of reach every process fetches its own, as if there were no store.
 */
export class SharedTokenMint implements Mint {
  readonly #parts: SharedTokenMintParts;

  /** @param parts see {@link SharedTokenMintParts} */
  constructor(parts: SharedTokenMintParts) {
    this.#parts = parts;
  }

  /**
   * @param request what for: see {@link MintRequest}
   * @throws {KindeApiKeyMisconfiguredError} if Kinde refuses the credentials
   * @throws {VerificationFailure} if there is no token, or another instance did not get one in time
   */
  async mint(request: MintRequest): Promise<AccessToken> {
    const { session, keys, endpoint, timeoutMs } = this.#parts;
    const owner = randomBytes(16).toString('hex');
    const endsAtMs = performance.now() + timeoutMs;
    do {
      let isOurs: boolean;
      try {
        const shared = (await this.#find(request)) ?? undefined;
        if (shared) return shared;
        isOurs = await session.acquire(`${keys.tokenName}:lock`, owner, LOCK_MS);
      } catch {
        return endpoint.mint(request);
      }
      if (isOurs) return this.#mintForAll(request, owner);
      await pause(LOOK_AGAIN_MS + Math.random() * LOOK_AGAIN_JITTER_MS);
    } while (performance.now() < endsAtMs);
    throw new VerificationFailure('kinde', 'another instance did not get an M2M token in time', {
      countsForCircuit: false,
    });
  }

  /** A token from the store that does for the request. */
  async #find({ held, isForced }: MintRequest): Promise<AccessToken | undefined> {
    const { session, keys, clock } = this.#parts;
    const sealed = await session.read(keys.tokenName);
    const found = sealed === undefined ? undefined : openToken(keys, sealed);
    if (!found) return undefined;
    const { token } = found;
    const nowMs = clock.now();
    if (nowMs >= token.usableUntilMs || token.sentAtMs > nowMs + MAX_SKEW_MS) return undefined;
    if (token.reveal() === held?.reveal()) {
      // Somebody has asked Kinde for a better one just now, and this is what came of it.
      return isForced && found.isForced && nowMs - token.sentAtMs < FORCED_EVERY_MS ? held : undefined;
    }
    const isRenewalAhead = !isForced && held !== undefined && nowMs < held.usableUntilMs;
    return isRenewalAhead && nowMs >= token.renewAtMs ? undefined : token;
  }

  async #mintForAll(request: MintRequest, owner: string): Promise<AccessToken> {
    const { session, keys, endpoint, clock } = this.#parts;
    const lock = `${keys.tokenName}:lock`;
    const holdOn = setInterval(
      () => void session.acquire(lock, owner, LOCK_MS).catch(() => undefined),
      HELD_ON_EVERY_MS,
    );
    holdOn.unref();
    try {
      // The one who had the lock before may have been done between our look and our turn.
      const shared = await this.#find(request).catch(() => undefined);
      if (shared) return shared;
      const token = await endpoint.mint(request);
      const sealed = sealToken(keys, { token, isForced: request.isForced });
      await session
        .write(keys.tokenName, sealed, Math.max(1, Math.floor(token.usableUntilMs - clock.now())))
        .catch(() => undefined);
      return token;
    } finally {
      clearInterval(holdOn);
      await session.release(lock, owner).catch(() => undefined);
    }
  }
}
