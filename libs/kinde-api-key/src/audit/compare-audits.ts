import type { AuditedRoute } from './audited-route.js';

/** A difference between two audits of an app. */
export interface RouteChange {
  readonly route: string;
  /** `looser`: a caller that was refused may be accepted. */
  readonly kind: 'looser' | 'stricter' | 'new' | 'gone';
  /** What is different. */
  readonly what: string;
}

/** Returns what is different in a later audit. A route that changed in both directions counts twice. */
export function compareAudits(before: readonly AuditedRoute[], after: readonly AuditedRoute[]): RouteChange[] {
  const earlier = new Map(before.map((one) => [keyOf(one), one]));
  const later = new Map(after.map((one) => [keyOf(one), one]));
  const gone = before.filter((one) => !later.has(keyOf(one))).map((one) => change(one, 'gone', one.access));
  return [
    ...after.flatMap((one) => {
      const old = earlier.get(keyOf(one));
      if (!old) return [change(one, 'new', one.access)];
      const [looser, stricter] = [lost(old, one), lost(one, old)];
      return [
        ...looser.map((what) => change(one, 'looser', what)),
        ...stricter.map((what) => change(one, 'stricter', what.replace('no longer', 'now'))),
      ];
    }),
    ...gone,
  ];
}

/** A handler may have several transports, and a path several handlers, e.g. of two hosts. */
function keyOf({ route, handler, transport }: AuditedRoute): string {
  return transport === 'http' ? route : `${transport} ${handler}`;
}

function change({ route }: AuditedRoute, kind: RouteChange['kind'], what: string): RouteChange {
  return { route, kind, what };
}

/** Returns what the first demands and the second does not. */
function lost(first: AuditedRoute, second: AuditedRoute): string[] {
  if (first.access !== 'guarded') return [];
  if (second.access !== 'guarded') return [`no longer guarded, but ${second.access}`];
  const scopes = first.scopes.filter((scope) => !second.scopes.includes(scope));
  // A list that became shorter is stricter: it allows fewer callers.
  const lists = first.anyOf.filter(
    (list) =>
      !second.anyOf.some((one) => one.every((scope) => list.includes(scope))) &&
      !list.some((scope) => second.scopes.includes(scope)),
  );
  const missing: readonly (readonly [boolean, string])[] = [
    [first.needsOrganization && !second.needsOrganization, 'no longer requires an organization'],
    [first.comparedOrganizations > second.comparedOrganizations, 'no longer compares an organization'],
    [first.needsUser && !second.needsUser, 'no longer requires a user'],
    [first.needsKey && !second.needsKey, 'no longer requires an API key'],
    [(first.maxAgeMs ?? Infinity) < (second.maxAgeMs ?? Infinity), 'no longer requires as fresh a verification'],
    [isHigher(second, first), 'no longer has the same rate limit'],
  ];
  return [
    ...scopes.map((scope) => `no longer requires '${scope}'`),
    ...lists.map((list) => `no longer requires one of ${list.map((scope) => `'${scope}'`).join(', ')}`),
    ...missing.filter(([isMissing]) => isMissing).map(([, what]) => what),
  ];
}

/** Whether a rate limit allows more requests. A function is not compared. */
function isHigher({ rateLimit: one }: AuditedRoute, { rateLimit: other }: AuditedRoute): boolean {
  if (!other) return false;
  if (!one) return true;
  if (one.limit === 'function' || other.limit === 'function') return one.limit !== other.limit;
  return one.limit / one.windowMs > other.limit / other.windowMs;
}
