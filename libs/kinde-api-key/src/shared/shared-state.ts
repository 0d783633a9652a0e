import type { Clock } from '../clock.js';
import type { Mint } from '../kinde/token/m2m-token.js';
import type { SharedSession, SharedStore } from './shared-store.js';
import type { SharedVerdicts } from '../verification/shared-verdicts.js';
import { SharedSecrets, type SharedIdentity } from './shared-secrets.js';
import { SharedTokenMint } from './shared-token-mint.js';
import { SharedRateLimits, type LocalRates } from './shared-rate-limits.js';
import { SharedVerdictStore } from './shared-verdict-store.js';

/** The net below the announcements: how often it is asked for invalidations that were not heard of, in milliseconds. */
const CATCH_UP_EVERY_MS = 5_000;
/** The oldest answer that any instance may accept, whatever its options: the largest `ttlMs` and `staleIfErrorMs` there are. */
const KEEP_INVALIDATIONS_MS = 90_000_000;

/** Who shares what with whom. */
export interface SharedStateOptions extends SharedIdentity {
  /** Deadline of a mint, in milliseconds. */
  readonly timeoutMs: number;
  /** 0: no verdict is shared. */
  readonly maxAcceptedAgeMs: number;
}

/** What one registration shares with the other instances: verdicts, invalidations, the M2M token. */
export class SharedState {
  readonly #session: SharedSession;
  readonly #keys: SharedSecrets;
  readonly #verdicts: SharedVerdictStore;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #limitsOnOutage: 'local' | 'refuse';
  #catchUp: NodeJS.Timeout | undefined;

  /**
   * @param store where
   * @param options see {@link SharedStateOptions}
   * @param clock for ages; locks and deadlines are real time
   * @param log told once when the store goes, and when it is back
   */
  constructor(store: SharedStore, options: SharedStateOptions, clock: Clock, log: { warn(message: string): void }) {
    this.#keys = new SharedSecrets(options);
    this.#clock = clock;
    this.#timeoutMs = options.timeoutMs;
    this.#limitsOnOutage = store.limitsOnOutage ?? 'local';
    this.#session = store.open({
      invalidations: this.#keys.invalidations,
      keepInvalidationsMs: KEEP_INVALIDATIONS_MS,
      log,
    });
    const { maxAcceptedAgeMs } = options;
    this.#verdicts = new SharedVerdictStore({ session: this.#session, keys: this.#keys, clock, maxAcceptedAgeMs });
  }

  /** For the verification service. */
  get verdicts(): SharedVerdicts {
    return this.#verdicts;
  }

  /** @returns what fetches tokens for the whole fleet, by the endpoint of this process */
  shareToken(endpoint: Mint): Mint {
    const parts = { session: this.#session, keys: this.#keys, clock: this.#clock, timeoutMs: this.#timeoutMs };
    return new SharedTokenMint({ ...parts, endpoint });
  }

  /** @returns limits for the whole fleet, by the counts of this process while the store is out of reach */
  rateLimits(local: LocalRates): SharedRateLimits {
    return new SharedRateLimits({ session: this.#session, keys: this.#keys, local, onOutage: this.#limitsOnOutage });
  }

  /** Begins to listen to the others. Waits at most about a second for the store, and never fails. */
  async start(): Promise<void> {
    const catchUp = (): void => void this.#verdicts.catchUp();
    this.#catchUp = setInterval(catchUp, CATCH_UP_EVERY_MS);
    this.#catchUp.unref();
    await this.#session.start({
      onInvalidation: (invalidation) => this.#verdicts.hear(invalidation),
      onConnected: catchUp,
    });
  }

  /** Ends the connection that {@link start} made. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#catchUp);
    await this.#session.close();
  }
}
