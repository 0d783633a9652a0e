import type { AuditedRoute } from './audited-route.js';

/** A difference between two audits of an app. */
export interface RouteChange {
  readonly route: string;
  /** `looser`: a caller that was refused may be accepted. */
  readonly kind: 'looser' | 'stricter' | 'new' | 'gone';
  /** What is different. */
  readonly what: string;
}

/**
 * Returns what is different in a later audit. A route that changed in both directions counts twice. A handler whose path is new is compared with
 * what it demanded under a path that is gone.
 */
export function compareAudits(before: readonly AuditedRoute[], after: readonly AuditedRoute[]): RouteChange[] {
  const keyOf = keysOf(before, after);
  const [earlier, later] = [byKey(before, keyOf), byKey(after, keyOf)];
  const gone = [...earlier].filter(([key]) => !later.has(key)).map(([, one]) => one);
  return [
    ...[...later].flatMap(([key, one]) => {
      const old = earlier.get(key);
      if (old) return [...differences(old, one, one.route), ...regrouped([old, before], [one, after])];
      const moved = gone.find(({ handler, transport }) => handler === one.handler && transport === one.transport);
      const changes = moved ? differences(moved, one, `${one.route} (was ${moved.route})`) : [];
      return [{ route: one.route, kind: 'new' as const, what: demandsOf(one) }, ...changes];
    }),
    ...gone.map((one) => ({ route: one.route, kind: 'gone' as const, what: demandsOf(one) })),
  ];
}

/** Returns what a route demands of a caller, in words. */
export function demandsOf(route: AuditedRoute): string {
  if (route.access === 'public') return 'public';
  if (route.access === 'open') return 'OPEN: no ApiKeyGuard reaches it';
  const demands = [
    ...route.scopes,
    ...route.anyOf.map((list) => list.join(' or ')),
    ...(route.comparedOrganizations > 0 ? ['own organization'] : route.needsOrganization ? ['an organization'] : []),
    ...(route.needsUser ? ['a user'] : []),
    ...(route.needsKey ? ['an API key'] : []),
  ];
  const fresh = route.maxAgeMs === null ? [] : [`verified in the last ${route.maxAgeMs / 1_000} s`];
  const limit = route.rateLimit ? [limitOf(route)] : [];
  return [...(demands.length > 0 ? demands : ['any valid caller']), ...fresh, ...limit].join(', ');
}

/** Returns what identifies a route in both audits. A path may have several handlers, e.g. of two hosts or versions. */
function keysOf(...audits: readonly (readonly AuditedRoute[])[]): (route: AuditedRoute) => string {
  const plain = ({ route, handler, transport }: AuditedRoute) =>
    transport === 'http' ? route : `${transport} ${handler}`;
  const shared = new Set(
    audits.flatMap((audit) => {
      const keys = audit.map(plain);
      return keys.filter((key, index) => keys.indexOf(key) !== index);
    }),
  );
  return (route) => (shared.has(plain(route)) ? `${plain(route)} ${route.handler}` : plain(route));
}

/** Returns each route by what identifies it. Handlers of one path in classes of one name are numbered, in the order in which Nest has them. */
function byKey(audit: readonly AuditedRoute[], keyOf: (route: AuditedRoute) => string): Map<string, AuditedRoute> {
  const routes = new Map<string, AuditedRoute>();
  for (const one of audit) {
    const key = keyOf(one);
    let free = key;
    for (let number = 2; routes.has(free); number += 1) free = `${key} ${number}`;
    routes.set(free, one);
  }
  return routes;
}

function differences(old: AuditedRoute, one: AuditedRoute, route: string): RouteChange[] {
  const looser = lost(old, one).map(([what]) => ({ route, kind: 'looser' as const, what }));
  const stricter = lost(one, old).map(([, what]) => ({ route, kind: 'stricter' as const, what }));
  return [...looser, ...stricter];
}

/** A route, and the audit that it is part of. */
type Audited = readonly [route: AuditedRoute, audit: readonly AuditedRoute[]];

/** Returns whether the requests of a route are counted together with those of others, where they were not, or the other way round. */
function regrouped(old: Audited, one: Audited): RouteChange[] {
  const [{ route }] = one;
  const looser = lostPartners(old, one).map((words) => ({
    route,
    kind: 'looser' as const,
    what: `no longer ${words}`,
  }));
  const stricter = lostPartners(one, old).map((words) => ({ route, kind: 'stricter' as const, what: `now ${words}` }));
  return [...looser, ...stricter];
}

/** A limit that is lower is stricter, whatever it counts. */
function lostPartners([first, ofFirst]: Audited, [second, ofSecond]: Audited): string[] {
  if (!second.rateLimit || first.rateLimit?.name === second.rateLimit.name || isHigher(first, second)) return [];
  const kept = partnersOf(second, ofSecond);
  const lost = partnersOf(first, ofFirst).filter(
    (name) => !kept.includes(name) && ofSecond.some(({ route }) => route === name),
  );
  const more = lost.length > 1 ? ` and ${lost.length - 1} more` : '';
  return lost.slice(0, 1).map((name) => `counted together with ${name}${more}`);
}

/** Returns the routes that share the budget of a route. */
function partnersOf({ route, rateLimit }: AuditedRoute, audit: readonly AuditedRoute[]): string[] {
  return audit
    .filter((other) => rateLimit && other.route !== route && other.rateLimit?.name === rateLimit.name)
    .map((other) => other.route);
}

/** A demand in words: where it was dropped, and where it was added. */
type Words = readonly [dropped: string, added: string];

/** Returns what the first demands and the second does not. */
function lost(first: AuditedRoute, second: AuditedRoute): Words[] {
  if (first.access !== 'guarded') return [];
  if (second.access !== 'guarded')
    return [[`no longer guarded, but ${second.access}`, `now guarded: ${demandsOf(first)}`]];
  const scopes = first.scopes.filter((scope) => !second.scopes.includes(scope));
  return [
    ...scopes.map((scope) => dropped(`requires '${scope}'`)),
    ...lostLists(first, second),
    ...lostOrganizations(first, second),
    ...(first.needsUser && !second.needsUser ? [dropped('requires a user')] : []),
    ...(first.needsKey && !second.needsKey ? [dropped('requires an API key')] : []),
    ...lostFreshness(first, second),
    ...(isHigher(second, first) ? [change(limitOf(first), limitOf(second))] : []),
  ];
}

function dropped(what: string): Words {
  return [`no longer ${what}`, `now ${what}`];
}

function change(first: string, second: string): Words {
  return [`now ${second}, was ${first}`, `now ${first}, was ${second}`];
}

/** A list that became shorter is stricter: it allows fewer callers. */
function lostLists(first: AuditedRoute, second: AuditedRoute): Words[] {
  const lists = first.anyOf.filter(
    (list) =>
      !second.anyOf.some((one) => one.every((scope) => list.includes(scope))) &&
      !list.some((scope) => second.scopes.includes(scope)),
  );
  return lists.map((list) => {
    const wider = second.anyOf.find((one) => list.every((scope) => one.includes(scope)));
    if (!wider) return dropped(`requires one of ${quote(list)}`);
    const added = quote(wider.filter((scope) => !list.includes(scope)));
    return [
      `now also accepts ${added} in place of ${quote(list)}`,
      `no longer accepts ${added} in place of ${quote(list)}`,
    ];
  });
}

function lostOrganizations(first: AuditedRoute, second: AuditedRoute): Words[] {
  if (first.comparedOrganizations > second.comparedOrganizations) return [dropped('compares an organization')];
  if (first.needsOrganization && !second.needsOrganization) return [dropped('requires an organization')];
  const rulesOf = ({ rules }: AuditedRoute) =>
    rules.map(({ rule }) => rule).filter((rule) => rule.startsWith('@OrgScoped('));
  const kept = rulesOf(second);
  // As many are compared, but another value of the request: the one from before may be of a foreign organization now.
  return rulesOf(first)
    .filter((rule) => !kept.includes(rule))
    .map((rule) => dropped(`carries ${rule}`));
}

function lostFreshness({ maxAgeMs: first }: AuditedRoute, { maxAgeMs: second }: AuditedRoute): Words[] {
  if ((first ?? Infinity) >= (second ?? Infinity)) return [];
  const words = (ms: number | null) => (ms === null ? 'verified at any time' : `verified in the last ${ms / 1_000} s`);
  return [change(words(first), words(second))];
}

function limitOf({ rateLimit }: AuditedRoute): string {
  if (!rateLimit) return 'without a rate limit';
  const { limit, windowMs } = rateLimit;
  return `at most ${limit === 'function' ? 'what a function says' : limit} in ${windowMs / 1_000} s`;
}

/** Whether a rate limit accepts requests that the other refuses: more of them in one window of the other. The limits of functions are not known. */
function isHigher({ rateLimit: one }: AuditedRoute, { rateLimit: other }: AuditedRoute): boolean {
  if (!other) return false;
  if (!one) return true;
  if (one.limit === 'function' || other.limit === 'function')
    return one.limit !== other.limit || one.windowMs < other.windowMs;
  return one.limit * Math.ceil(other.windowMs / one.windowMs) > other.limit;
}

function quote(scopes: readonly string[]): string {
  return scopes.map((scope) => `'${scope}'`).join(', ');
}
