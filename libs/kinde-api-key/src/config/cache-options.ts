import { integer, type OptionalIn } from './option-kinds.js';

/** The options of `cache`. */
export const CACHE_OPTIONS = {
  /**
   * Time during which an accepted key is served without asking Kinde again. A key in use is verified again in the background before that,
   * so requests do not wait. Risk: a revoked key is accepted for up to this time. In milliseconds, 1,000 to 3,600,000. Default 60,000.
   */
  ttlMs: integer({ min: 1_000, max: 3_600_000, default: 60_000, unit: 'ms' }),
  /**
   * Additional time during which an accepted key is served while Kinde is unreachable; 0 turns this off. Risk: a key that is revoked during an
   * outage is accepted until `ttlMs + staleIfErrorMs` have passed. In milliseconds, 0 to 86,400,000. Default 240,000.
   */
  staleIfErrorMs: integer({ min: 0, max: 86_400_000, default: 240_000, unit: 'ms' }),
  /**
   * Time during which a refused key is refused without asking Kinde again; 0 asks every time. In milliseconds, 0 to 600,000. Default 10,000.
   */
  negativeTtlMs: integer({ min: 0, max: 600_000, default: 10_000, unit: 'ms' }),
  /** Maximum number of accepted keys in memory. When full, the least recently used key is evicted. 1 to 10,000,000. Default 50,000. */
  maxKeys: integer({ min: 1, max: 10_000_000, default: 50_000 }),
  /**
   * Maximum number of refused keys in memory. They are cached separately, so that bad keys cannot evict good ones. 1 to 10,000,000.
   * Default 5,000.
   */
  maxRefusals: integer({ min: 1, max: 10_000_000, default: 5_000 }),
};

/** How long answers are cached, and how many. The age of an answer counts from when the verify call was sent to Kinde. */
export interface KindeApiKeyCacheOptions extends OptionalIn<typeof CACHE_OPTIONS> {}
