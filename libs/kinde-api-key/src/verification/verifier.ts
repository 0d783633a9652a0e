import type { RefusedVerdict } from '../api-key/verdict.js';
import type { KeyVerifier } from '../kinde/key-verifier.js';

/** What verifies keys: Kinde's client, or a test's. */
export type Verifier = Pick<KeyVerifier, 'verify'> & Partial<Pick<KeyVerifier, 'isDown' | 'health'>>;

/** The verdict about a malformed key, which Kinde is not asked about. */
export const UNKNOWN: RefusedVerdict = Object.freeze({ accepted: false, reason: 'unknown' });
