import type { AcceptedVerdict } from '../api-key/verdict.js';
import { NONE } from '../slot-index.js';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';

/**
 * An accepted verdict from memory, which knows where its key is remembered: who remembers something else about keys finds it sooner by that. It
 * is private, because verdicts are the app's, too.
 *
 * Made for each request: it costs less than to look up one that is kept, and needs no memory for each key.
 */
export class RememberedVerdict implements AcceptedVerdict {
  readonly accepted = true;
  readonly apiKey: VerifiedApiKey;
  readonly #slot: number;

  constructor(apiKey: VerifiedApiKey, slot: number) {
    this.apiKey = apiKey;
    this.#slot = slot;
  }

  /** @returns the slot of the key that a verdict is about; `NONE` if it does not come from memory */
  static slotOf(verdict: AcceptedVerdict): number {
    return #slot in verdict ? verdict.#slot : NONE;
  }
}
