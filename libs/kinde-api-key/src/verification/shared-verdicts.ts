import type { AcceptedVerdict } from '../api-key/verdict.js';
import type { Invalidation } from '../shared/shared-store.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';

/** An accepted key as another instance has found it, with the time at which it asked Kinde. */
export interface SharedVerdict {
  readonly verdict: AcceptedVerdict;
  readonly sentAtMs: number;
}

/**
 * What the verification service shares with the other instances. Nothing here rejects: where the others are out of reach, the answer is
 * that nothing is known, and what should be told is told later or not at all.
 */
export interface SharedVerdicts {
  /** @returns what is known of a key, authentic, neither invalidated nor from the future, of any age */
  find(digest: string): Promise<SharedVerdict | undefined>;
  /** @returns whether this instance is the one that asks about the key again, while the others go on with what they have */
  claimRefresh(digest: string): Promise<boolean>;
  /** @returns the invalidations of a key */
  invalidationsOf(apiKey: VerifiedApiKey): Promise<readonly Invalidation[]>;
  /** Tells the others that a key is good. */
  share(digest: string, shared: SharedVerdict): Promise<void>;
  /** Takes back that a key is good. */
  takeBack(digest: string): Promise<void>;
  /** Makes the others forget. */
  publish(invalidation: Invalidation): Promise<void>;
  /** @param apply called with every invalidation that arrives, several at once after an absence */
  onInvalidations(apply: (invalidations: readonly Invalidation[]) => void): void;
}
