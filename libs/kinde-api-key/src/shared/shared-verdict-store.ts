import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { tagsOf } from '../verification/invalidation.js';
import type { SharedVerdict, SharedVerdicts } from '../verification/shared-verdicts.js';
import { MAX_SKEW_MS, type SharedSession, type Invalidation } from './shared-store.js';
import type { SharedSecrets } from './shared-secrets.js';
import { openVerdict, sealVerdict } from './sealed-verdict.js';

/** The instance that asks about a key again has this time, in milliseconds; if it dies, another one does. */
const REFRESH_CLAIM_MS = 5_000;
/** Invalidations that could not be told yet; more than so many become one of everything. */
const MAX_UNTOLD = 1_000;

/** See {@link SharedVerdictStore}. */
export interface SharedVerdictStoreParts {
  readonly session: SharedSession;
  readonly keys: SharedSecrets;
  readonly clock: Clock;
  /** How long an entry is of use to anybody, in milliseconds. */
  readonly maxAcceptedAgeMs: number;
}

/** Verdicts and invalidations in the shared store: sealed, bound to their place, and never of more use than Kinde's own answer. */
export class SharedVerdictStore implements SharedVerdicts {
  readonly #parts: SharedVerdictStoreParts;
  readonly #owner = randomBytes(16).toString('hex');
  readonly #untold = new Map<string, number>();
  #apply: (invalidations: readonly Invalidation[]) => void = () => undefined;
  #heardUntilMs: number;

  /** @param parts see {@link SharedVerdictStoreParts} */
  constructor(parts: SharedVerdictStoreParts) {
    this.#parts = parts;
    this.#heardUntilMs = parts.clock.now();
  }

  async find(digest: string): Promise<SharedVerdict | undefined> {
    const { session, keys, clock } = this.#parts;
    const name = keys.verdictName(digest);
    try {
      const sealed = await session.read(name);
      const found = sealed === undefined ? undefined : openVerdict(keys, name, sealed);
      if (!found || found.sentAtMs > clock.now() + MAX_SKEW_MS) return undefined;
      const invalidations = await session.invalidationsOf(tagsOf(found.verdict.apiKey));
      return invalidations.some(({ atMs }) => found.sentAtMs <= atMs + MAX_SKEW_MS) ? undefined : found;
    } catch {
      return undefined;
    }
  }

  async claimRefresh(digest: string): Promise<boolean> {
    const { session, keys } = this.#parts;
    try {
      return await session.acquire(`${keys.verdictName(digest)}:refresh`, this.#owner, REFRESH_CLAIM_MS);
    } catch {
      return true;
    }
  }

  async invalidationsOf(apiKey: VerifiedApiKey): Promise<readonly Invalidation[]> {
    try {
      return await this.#parts.session.invalidationsOf(tagsOf(apiKey));
    } catch {
      return [];
    }
  }

  async share(digest: string, shared: SharedVerdict): Promise<void> {
    const { session, keys, clock, maxAcceptedAgeMs } = this.#parts;
    const name = keys.verdictName(digest);
    const sealed = sealVerdict(keys, name, shared);
    const leftMs = Math.floor(shared.sentAtMs + maxAcceptedAgeMs - clock.now());
    if (sealed === undefined || leftMs < 1) return;
    await session.write(name, sealed, leftMs).catch(() => undefined);
    // Whoever looks next finds the new entry; the next refresh need not wait for the claim to end.
    await session.release(`${name}:refresh`, this.#owner).catch(() => undefined);
  }

  async takeBack(digest: string): Promise<void> {
    await this.#parts.session.remove(this.#parts.keys.verdictName(digest)).catch(() => undefined);
  }

  async publish(invalidation: Invalidation): Promise<void> {
    try {
      await this.#parts.session.publish(invalidation);
    } catch {
      this.#untold.set(invalidation.tag, invalidation.atMs);
      if (this.#untold.size > MAX_UNTOLD) {
        this.#untold.clear();
        this.#untold.set('*', invalidation.atMs);
      }
    }
  }

  onInvalidations(apply: (invalidations: readonly Invalidation[]) => void): void {
    this.#apply = apply;
  }

  /** A invalidation was announced. */
  hear(invalidation: Invalidation): void {
    this.#apply([invalidation]);
  }

  /** Asks what was announced since the last time, and tells what could not be told. Called after an absence and now and then. */
  async catchUp(): Promise<void> {
    const { session, clock } = this.#parts;
    const nowMs = clock.now();
    try {
      this.#apply(await session.invalidationsSince(Math.floor(this.#heardUntilMs - 2 * MAX_SKEW_MS)));
      this.#heardUntilMs = nowMs;
      for (const [tag, atMs] of this.#untold) {
        await session.publish({ tag, atMs });
        this.#untold.delete(tag);
      }
    } catch {
      // The next time.
    }
  }
}
