import type { Clock } from '../clock.js';
import type { Mint } from '../kinde/token/m2m-token.js';
import type { Log } from '../log.js';
import type { RateLimitStore } from '../rate-limit/rate-limit-store.js';
import { SharedSecrets, type SharedIdentity } from './shared-secrets.js';
import type { SharedSession, SharedStore } from './shared-store.js';
import { SharedTokenMint } from './shared-token-mint.js';
import { SharedVerdictStore } from './shared-verdict-store.js';

/** Interval of the catch-up with invalidations whose messages were lost. */
const CATCH_UP_EVERY_MS = 5_000;
/** The largest `ttlMs` plus the largest `staleIfErrorMs`: no instance accepts an older verdict, whatever its options. */
const KEEP_INVALIDATIONS_MS = 90_000_000;
/** `Retry-After` of a request that is refused because the store could not count it. */
const UNCOUNTED_RETRY_MS = 5_000;

/** Everything that one registration shares with other instances: verdicts, invalidations, the M2M token, rate limits. */
export class SharedState {
  /** The verdicts and invalidations, for the verification service. */
  readonly verdicts: SharedVerdictStore;
  readonly #secrets: SharedSecrets;
  readonly #session: SharedSession;
  readonly #timeoutMs: number;
  #catchUp: NodeJS.Timeout | undefined;

  /**
   * @param options the identity, how long to wait for an M2M token of another instance, and the maximum age of a shared verdict
   * @param clock for ages. Locks and deadlines use real time
   */
  constructor(
    private readonly store: SharedStore,
    options: SharedIdentity & { readonly timeoutMs: number; readonly maxAcceptedAgeMs: number },
    private readonly clock: Clock,
    log: Pick<Log, 'warn'>,
  ) {
    this.#timeoutMs = options.timeoutMs;
    this.#secrets = new SharedSecrets(options);
    const { invalidations } = this.#secrets;
    this.#session = store.open({ invalidations, keepInvalidationsMs: KEEP_INVALIDATIONS_MS, log });
    this.verdicts = new SharedVerdictStore(this.#session, this.#secrets, clock, options.maxAcceptedAgeMs);
  }

  /** Returns a mint that fetches one token for all instances from `endpoint`. */
  shareToken(endpoint: Mint): Mint {
    return new SharedTokenMint(endpoint, this.#session, this.#secrets, this.clock, this.#timeoutMs);
  }

  /**
   * Returns limits that hold for all instances together, by the store's time. While the store cannot be reached, `local` counts the requests,
   * or they are refused, as its `limitsOnOutage` says.
   */
  rateLimits(local: RateLimitStore): RateLimitStore {
    const take: RateLimitStore['take'] = async (scope, keyId, limit, windowMs) => {
      try {
        const bucket = this.#secrets.bucketName(`${scope} ${keyId}`, windowMs);
        return { ...(await this.#session.take(bucket, limit, windowMs)), limit };
      } catch {
        if ((this.store.limitsOnOutage ?? 'local') === 'local') return local.take(scope, keyId, limit, windowMs);
        return { accepted: false, limit, remaining: 0, resetAfterMs: Math.min(UNCOUNTED_RETRY_MS, windowMs) };
      }
    };
    return { take };
  }

  /** Starts listening to the other instances. Waits at most about a second for the store, and never rejects. */
  async start(): Promise<void> {
    const catchUp = (): void => void this.verdicts.catchUp();
    this.#catchUp = setInterval(catchUp, CATCH_UP_EVERY_MS).unref();
    await this.#session.start({ onInvalidation: (one) => this.verdicts.apply([one]), onConnected: catchUp });
  }

  /** Ends what {@link start} began. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#catchUp);
    await this.#session.close();
  }
}
