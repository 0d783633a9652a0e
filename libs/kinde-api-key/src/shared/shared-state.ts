import type { Clock } from '../clock.js';
import type { ResolvedKindeOptions } from '../config/resolved-options.js';
import type { Mint } from '../kinde/token/m2m-token.js';
import type { Log } from '../log.js';
import type { RateLimitStore } from '../rate-limit/rate-limit-store.js';
import { SharedRateLimits } from './shared-rate-limits.js';
import { SharedSecrets, type SharedIdentity } from './shared-secrets.js';
import type { SharedSession, SharedStore } from './shared-store.js';
import { SharedTokenMint } from './shared-token-mint.js';
import { SharedVerdictStore } from './shared-verdict-store.js';

/** Interval of the catch-up with invalidations whose messages were lost. */
const CATCH_UP_EVERY_MS = 5_000;
/** The largest `ttlMs` plus the largest `staleIfErrorMs`: no instance accepts an older verdict, whatever its options. */
const KEEP_INVALIDATIONS_MS = 90_000_000;

/** `maxAcceptedAgeMs` is the maximum age of a shared verdict, in milliseconds. 0 shares none. */
type SharedStateOptions = SharedIdentity &
  Pick<ResolvedKindeOptions, 'timeoutMs'> & { readonly maxAcceptedAgeMs: number };

/** Everything that one registration shares with other instances: verdicts, invalidations, the M2M token, rate limits. */
export class SharedState {
  /** The verdicts and invalidations, for the verification service. */
  readonly verdicts: SharedVerdictStore;
  readonly #timeoutMs: number;
  readonly #secrets: SharedSecrets;
  readonly #session: SharedSession;
  readonly #limitsLocally: boolean;
  #catchUp: NodeJS.Timeout | undefined;

  /**
   * @param clock for ages. Locks and deadlines use real time
   * @param log receives a warning when the store stops answering, and when it answers again
   */
  constructor(
    store: SharedStore,
    options: SharedStateOptions,
    private readonly clock: Clock,
    log: Pick<Log, 'warn'>,
  ) {
    this.#timeoutMs = options.timeoutMs;
    this.#limitsLocally = (store.limitsOnOutage ?? 'local') === 'local';
    this.#secrets = new SharedSecrets(options);
    const { invalidations } = this.#secrets;
    this.#session = store.open({ invalidations, keepInvalidationsMs: KEEP_INVALIDATIONS_MS, log });
    this.verdicts = new SharedVerdictStore(this.#session, this.#secrets, clock, options.maxAcceptedAgeMs);
  }

  /** Returns a mint that fetches one token for all instances from `endpoint`. */
  shareToken(endpoint: Mint): Mint {
    return new SharedTokenMint(endpoint, this.#session, this.#secrets, this.clock, this.#timeoutMs);
  }

  /** Returns limits that hold for all instances together. `local` counts while the store cannot be reached. */
  rateLimits(local: RateLimitStore): SharedRateLimits {
    return new SharedRateLimits(this.#session, this.#secrets, this.#limitsLocally ? local : undefined);
  }

  /** Starts listening to the other instances. Waits at most about a second for the store, and never rejects. */
  async start(): Promise<void> {
    const catchUp = (): void => void this.verdicts.catchUp();
    this.#catchUp = setInterval(catchUp, CATCH_UP_EVERY_MS).unref();
    await this.#session.start({
      onInvalidation: (invalidation) => this.verdicts.onInvalidation(invalidation),
      onConnected: catchUp,
    });
  }

  /** Ends what {@link start} began. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#catchUp);
    await this.#session.close();
  }
}
