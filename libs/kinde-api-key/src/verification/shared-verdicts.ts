import type { AcceptedVerdict } from '../api-key/verdict.js';
import type { Invalidation } from '../shared/shared-store.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';

/** An accepted verdict of any instance, with the time at which that instance sent its verify call. */
export interface SharedVerdict {
  readonly verdict: AcceptedVerdict;
  readonly sentAtMs: number;
}

/**
 * The verdicts and invalidations that the instances share. Methods never reject: during an outage of the shared store they find nothing,
 * and changes are published later or not at all.
 */
export interface SharedVerdicts {
  /** Whether the shared store is known not to answer. */
  readonly isDown?: boolean;
  /** Returns the verdict about a key, of any age. It is authentic, not invalidated and not from the future. */
  find(digest: string): Promise<SharedVerdict | undefined>;
  /** Maximum time to wait for the verdict of another instance that asks Kinde about a key, in milliseconds. */
  readonly maxWaitMs: number;
  /** Returns whether this instance asks Kinde about the key. Otherwise another one does. */
  claim(digest: string): Promise<boolean>;
  /** Ends the claim of this instance: others that wait for its verdict ask Kinde themselves. */
  release(digest: string): Promise<void>;
  /** Returns the invalidations of a key. */
  invalidationsOf(apiKey: VerifiedApiKey): Promise<readonly Invalidation[]>;
  /** Shares an accepted verdict with the other instances, and ends the claim. */
  share(digest: string, shared: SharedVerdict): Promise<void>;
  /** Withdraws a verdict that was shared, and ends the claim. */
  takeBack(digest: string): Promise<void>;
  /** Publishes an invalidation to the other instances. */
  publish(invalidation: Invalidation): Promise<void>;
  /** @param apply called with every invalidation that arrives; with several at once after a disconnection */
  onInvalidations(apply: (invalidations: readonly Invalidation[]) => void): void;
}
