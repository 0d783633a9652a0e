import type { Principal } from '../../api-key/principal.js';
import type { RawKey } from '../../api-key/raw-key.js';
import type { Verdict } from '../../api-key/verdict.js';
import type { Call } from '../../contexts/call.js';
import { askKinde } from '../key-verification.js';
import type { Registration } from '../registration.js';

const ONCE = new WeakMap<Registration, WeakMap<object, Registration>>();

/**
 * Returns the registration for one call: all calls of one origin have the same. It verifies, counts and reports what an HTTP request would be
 * verified, counted and reported for once, however many resolvers the request runs.
 */
export function oncePerOrigin(registration: Registration, { origin, isOverConnection }: Call): Registration {
  let ofAll = ONCE.get(registration);
  if (!ofAll) ONCE.set(registration, (ofAll = new WeakMap()));
  let one = ofAll.get(origin);
  if (!one) ofAll.set(origin, (one = countedOnce(isOverConnection ? registration : verifiedOnce(registration))));
  return one;
}

/** A rate limit and a failed attempt count once. So does a report of a decision, for each code and, where the caller is known, each route. */
function countedOnce(registration: Registration): Registration {
  const { rateLimiter, failedAttempts, decisions } = registration;
  return {
    ...registration,
    rateLimiter: {
      take: memoized(
        (...args: Parameters<typeof rateLimiter.take>) => rateLimiter.take(...args),
        ({ scope }, _caller, callerId) => JSON.stringify([scope, callerId]),
      ),
    },
    failedAttempts: failedAttempts && {
      waitSeconds: memoized((request) => failedAttempts.waitSeconds(request)),
      reserve: (request) => failedAttempts.reserve(request),
      record: memoized((request) => failedAttempts.record(request)),
    },
    decisions: {
      listeners: decisions.listeners,
      prepare: memoized(
        (state, code) => {
          const report = decisions.prepare(state, code);
          return report && memoized(report);
        },
        (state, code) =>
          code === null ? '' : JSON.stringify([code, (state?.apiKey ?? state?.principal) && state?.rule.route]),
      ),
    },
  };
}

/** Over a connection this would last too long: there the cache decides, in which an invalidated key is not. */
function verifiedOnce(registration: Registration): Registration {
  const { verification, principals } = registration;
  const known = new Map<string, Verdict>();
  const idOf = ({ digest }: RawKey, isFresh: boolean): string => `${isFresh ? 'fresh' : 'any'} ${digest}`;
  const learn = (id: string, verdict: Verdict | undefined): Verdict | undefined => {
    if (verdict) known.set(id, verdict);
    return verdict;
  };
  const ask = memoized((key: RawKey, isFresh: boolean) => {
    const asked = askKinde(verification, key, isFresh);
    return asked.then((answer) => (learn(idOf(key, isFresh), answer.verdict), answer));
  }, idOf);
  let asked: Promise<Principal | null> | undefined;
  return {
    ...registration,
    verification: {
      verify: (rawKey) => verification.verify(rawKey),
      lookup: (key) =>
        known.get(idOf(key, true)) ??
        known.get(idOf(key, false)) ??
        learn(idOf(key, false), verification.lookup?.(key)),
      lookupWithin: (key, maxAgeMs) => known.get(idOf(key, true)) ?? verification.lookupWithin?.(key, maxAgeMs),
      wasAccepted: (key) => verification.wasAccepted?.(key) ?? false,
      askOnce: ask,
    },
    principals: principals && {
      problems: [],
      // A caller that is not known yet may be later: another guard of the app may run meanwhile.
      authenticate: (...args) => (asked ??= principals.authenticate(...args).finally(() => (asked = undefined))),
    },
  };
}

/** Returns a function that is called once for each text that tells its calls apart. */
function memoized<Args extends unknown[], Result>(
  run: (...args: Args) => Result,
  keyOf: (...args: Args) => string = () => '',
): (...args: Args) => Result {
  const results = new Map<string, Result>();
  return (...args) => {
    const key = keyOf(...args);
    if (results.has(key)) return results.get(key) as Result;
    const result = run(...args);
    results.set(key, result);
    return result;
  };
}
