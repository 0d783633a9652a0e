import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import { pause } from '../kinde/limits/deadline.js';
import { VerificationFailure } from '../kinde/verification-failure.js';
import type { AccessToken } from '../kinde/token/access-token.js';
import type { Mint, MintRequest } from '../kinde/token/m2m-token.js';
import { openToken, sealToken } from './sealed-token.js';
import type { SharedSecrets } from './shared-secrets.js';
import { MAX_SKEW_MS, type SharedSession } from './shared-store.js';

/** Life of the lock. An instance that dies delays the others at most this long; a live one extends its lock. */
const LOCK_MS = 1_000;
const EXTEND_LOCK_EVERY_MS = 300;
/** An instance waits this many times `timeoutMs` for the token of another one. Then it fetches its own. */
const MAX_WAITS = 2;
const POLL_MS = 20;
const POLL_JITTER_MS = 40;
/** After a forced renewal, the new token counts as good for this time: a further rejection is the key's fault. */
const FORCED_EVERY_MS = 60_000;

/**
 * Fetches one M2M token for all instances. The instance that holds the lock asks Kinde, and the others wait for its token. While the
 * store cannot be reached, each instance fetches its own.
 */
export class SharedTokenMint implements Mint {
  /** Since when this instance has been waiting for the token of another one, over all calls. */
  #waitingSinceMs: number | undefined;

  /** @param timeoutMs how long to wait for the token of another instance, in milliseconds */
  constructor(
    private readonly endpoint: Mint,
    private readonly session: SharedSession,
    private readonly secrets: SharedSecrets,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {}

  /**
   * Returns the shared token, or fetches one. Rejects like the endpoint, or if another instance did not get a token in time. If that goes on
   * by this instance's own clock, it fetches one without the lock: the store must not keep it from Kinde.
   */
  async mint(request: MintRequest): Promise<AccessToken> {
    const owner = randomBytes(16).toString('hex');
    const startedAtMs = performance.now();
    do {
      let hasLock: boolean;
      try {
        const shared = await this.#find(request);
        hasLock = !shared && (await this.session.acquire(this.secrets.tokenLockName, owner, LOCK_MS));
        if (shared || hasLock) this.#waitingSinceMs = undefined;
        if (shared) return shared;
      } catch {
        return this.endpoint.mint(request);
      }
      this.#waitingSinceMs ??= startedAtMs;
      const waitedMs = performance.now() - this.#waitingSinceMs;
      if (hasLock || waitedMs >= this.timeoutMs * MAX_WAITS) return this.#mintForAll(request, owner);
      await pause(POLL_MS + Math.random() * POLL_JITTER_MS);
    } while (performance.now() - startedAtMs < this.timeoutMs);
    throw new VerificationFailure('kinde', 'another instance did not get an M2M token in time', {
      countsForCircuit: false,
    });
  }

  /** Returns the token in the store if it answers the request. */
  async #find({ held, isForced }: MintRequest): Promise<AccessToken | undefined> {
    const sealed = await this.session.read(this.secrets.tokenName);
    const found = sealed === undefined ? undefined : openToken(this.secrets, sealed);
    if (!found) return undefined;
    const { token } = found;
    const nowMs = this.clock.now();
    if (nowMs >= token.usableUntilMs || token.sentAtMs > nowMs + MAX_SKEW_MS) return undefined;
    if (token.reveal() === held?.reveal()) {
      // Another instance has just forced a renewal, and Kinde gave it this token.
      return isForced && found.isForced && nowMs - token.sentAtMs < FORCED_EVERY_MS ? held : undefined;
    }
    const isRenewalAhead = !isForced && held !== undefined && nowMs < held.usableUntilMs;
    return isRenewalAhead && nowMs >= token.renewAtMs ? undefined : token;
  }

  async #mintForAll(request: MintRequest, owner: string): Promise<AccessToken> {
    const extendLock = (): void =>
      void this.session.acquire(this.secrets.tokenLockName, owner, LOCK_MS).catch(() => undefined);
    const extending = setInterval(extendLock, EXTEND_LOCK_EVERY_MS).unref();
    try {
      // The previous holder may have stored a token after our last look.
      const stored = await this.#find(request).catch(() => undefined);
      if (stored) return stored;
      const token = await this.endpoint.mint(request);
      const sealed = sealToken(this.secrets, { token, isForced: request.isForced });
      const ttlMs = Math.max(1, Math.floor(token.usableUntilMs - this.clock.now()));
      await this.session.write(this.secrets.tokenName, sealed, ttlMs).catch(() => undefined);
      return token;
    } finally {
      clearInterval(extending);
      await this.session.release(this.secrets.tokenLockName, owner).catch(() => undefined);
    }
  }
}
