import type { OptionsReader } from './options-reader.js';
import { MAX_LIMIT, MAX_WINDOW_MS, MIN_WINDOW_MS, type Limit } from '../rate-limit/rate-limit-rule.js';

/** The limit of every route that has none of its own. */
export interface ResolvedRateLimitOptions {
  readonly limit: Limit;
  readonly windowMs: number;
  readonly headers: 'refusals' | 'always';
}

/** @returns the option `rateLimit` with its defaults, or `null` where it is not set; what is wrong with it goes to the reader's problems */
export function resolveRateLimit(options: OptionsReader): ResolvedRateLimitOptions | null {
  if (!options.has('rateLimit')) return null;
  const rate = options.section('rateLimit', 'an object, e.g. { limit: 100, windowMs: 60_000 }');
  rate.refuseUnknown(['limit', 'windowMs', 'headers']);
  const limit = rate.get('limit');
  const headers = rate.has('headers') ? rate.get('headers') : 'refusals';
  if (headers !== 'refusals' && headers !== 'always') rate.problem('headers', "must be 'refusals' or 'always'");
  return {
    limit: typeof limit === 'function' ? (limit as Exclude<Limit, number>) : rate.integer('limit', 1, MAX_LIMIT, 100),
    windowMs: rate.integer('windowMs', MIN_WINDOW_MS, MAX_WINDOW_MS, 60_000),
    headers: headers === 'always' ? 'always' : 'refusals',
  };
}
