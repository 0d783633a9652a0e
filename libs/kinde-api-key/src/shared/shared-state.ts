import { randomBytes } from 'node:crypto';
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
const COUNT_INSTANCES_EVERY_MS = 1_000;
/** An instance that was not seen for this time has no share of the limits, in milliseconds. */
const INSTANCE_TTL_MS = 15_000;
/** The largest `ttlMs` plus the largest `staleIfErrorMs`: no instance accepts an older verdict, whatever its options. */
const KEEP_INVALIDATIONS_MS = 90_000_000;
/** Share of `timeoutMs` for which a request waits for the verdict that another instance asks Kinde for. */
const WAITING_SHARE = 0.25;
/** `Retry-After` of a request that is refused because the store could not count it. */
const UNCOUNTED_RETRY_MS = 5_000;

/** Everything that one registration shares with other instances: verdicts, invalidations, the M2M token, rate limits. */
export class SharedState {
  /** The verdicts and invalidations, for the verification service. */
  readonly verdicts: SharedVerdictStore;
  readonly #secrets: SharedSecrets;
  readonly #session: SharedSession;
  readonly #timeoutMs: number;
  readonly #instance = randomBytes(16).toString('hex');
  /** Number of instances that were seen lately, this one included. */
  #instances = 1;
  #catchUp: NodeJS.Timeout | undefined;
  #counting: NodeJS.Timeout | undefined;

  /**
   * @param options the identity, how long to wait for an M2M token of another instance (for a verdict, a quarter of it), and the maximum age of a shared verdict
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
    const { maxAcceptedAgeMs, timeoutMs } = options;
    this.verdicts = new SharedVerdictStore(
      this.#session,
      this.#secrets,
      clock,
      maxAcceptedAgeMs,
      timeoutMs * WAITING_SHARE,
    );
  }

  /** Returns a mint that fetches one token for all instances from `endpoint`. */
  shareToken(endpoint: Mint): Mint {
    return new SharedTokenMint(endpoint, this.#session, this.#secrets, this.clock, this.#timeoutMs);
  }

  /**
   * Returns limits that hold for all instances together, by the store's time. While the store cannot be reached, each instance accepts its
   * share in `local`, or the requests are refused, as `limitsOnOutage` says. `local` counts what the store accepts, too: an instance that has
   * used up its share accepts no more when an outage begins.
   */
  rateLimits(local: RateLimitStore): RateLimitStore {
    const take: RateLimitStore['take'] = async (scope, keyId, limit, windowMs) => {
      try {
        const bucket = this.#secrets.bucketName(`${scope} ${keyId}`, windowMs);
        const rate = await this.#session.take(bucket, limit, windowMs);
        if (rate.accepted) await local.take(scope, keyId, limit, windowMs);
        return { ...rate, limit };
      } catch {
        const share = Math.max(1, Math.floor(limit / this.#instances));
        if ((this.store.limitsOnOutage ?? 'local') === 'local') return local.take(scope, keyId, share, windowMs);
        return { accepted: false, limit, remaining: 0, resetAfterMs: Math.min(UNCOUNTED_RETRY_MS, windowMs) };
      }
    };
    return { take };
  }

  /** Starts listening to the other instances. Waits some seconds at most for the store, and rejects only if it can never work. */
  async start(): Promise<void> {
    const catchUp = (): void => void this.verdicts.catchUp();
    this.#catchUp = setInterval(catchUp, CATCH_UP_EVERY_MS).unref();
    this.#counting = setInterval(() => void this.#countInstances(), COUNT_INSTANCES_EVERY_MS).unref();
    try {
      await this.#session.start({ onInvalidation: (one) => this.verdicts.apply([one]), onConnected: catchUp });
    } catch (error) {
      await this.close();
      throw error;
    }
    await this.#countInstances();
  }

  /** Ends what {@link start} began. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#catchUp);
    clearInterval(this.#counting);
    await this.#session.close();
  }

  /** Keeps the last number while the store cannot be reached. */
  async #countInstances(): Promise<void> {
    const counted = this.#session.countInstances?.(this.#secrets.instancesName, this.#instance, INSTANCE_TTL_MS);
    this.#instances = (await counted?.catch(() => undefined)) ?? this.#instances;
  }
}
