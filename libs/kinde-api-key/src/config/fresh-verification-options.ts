import { integer } from './option-kinds.js';

/** The options of `@RequireFreshVerification()`. */
export const FRESH_VERIFICATION_OPTIONS = {
  /**
   * Maximum age of Kinde's answer about the key. An older one is not used, also during an outage: the request then gets 503. 0 asks Kinde for
   * every request; concurrent requests share a call. In milliseconds, 0 to 3,600,000. Required.
   */
  maxAgeMs: integer({ min: 0, max: 3_600_000, unit: 'ms' }),
};
