import type { RateDecision } from '../rate-limit/rate-limit-store.js';
import type { RouteRule } from './route-rule.js';

// Equal in every copy of the library that a process may have loaded.
const COUNT = Symbol.for('nestjs-kinde-api-key:rate-count');

type Rate = RateDecision | Promise<RateDecision>;

/** That a registration has counted a request: kept on the request, because a guard that refused it may not be the last one to be asked. */
interface RateCount {
  readonly registration: symbol;
  readonly rule: RouteRule;
  readonly rate: Rate;
  /** The count of another registration. */
  readonly previous: RateCount | undefined;
}

interface Countable {
  [COUNT]?: RateCount;
}

/** @returns what the count of this request for this rule said, or `undefined` if it was not counted yet */
export function countedRate(request: object, registration: symbol, rule: RouteRule): Rate | undefined {
  for (let count = (request as Countable)[COUNT]; count; count = count.previous) {
    if (count.registration === registration && count.rule === rule) return count.rate;
  }
  return undefined;
}

/** Notes on the request that it was counted. */
export function recordRate(request: object, registration: symbol, rule: RouteRule, rate: Rate): void {
  (request as Countable)[COUNT] = { registration, rule, rate, previous: (request as Countable)[COUNT] };
}
