import type { AuditedRoute } from '../audit/audited-route.js';

/** Returns a table of routes: the route, and what it demands. */
export function printRoutes(routes: readonly AuditedRoute[]): string {
  if (routes.length === 0) return 'This app has no routes.\n';
  const width = Math.max(...routes.map(({ route }) => route.length));
  const lines = routes.map((one) => `${one.route.padEnd(width)}  ${demandsOf(one)}`);
  const counted = (access: AuditedRoute['access']) => routes.filter((one) => one.access === access).length;
  return `${lines.join('\n')}\n\n${counted('guarded')} guarded, ${counted('public')} public, ${counted('open')} open\n`;
}

function demandsOf(route: AuditedRoute): string {
  if (route.access === 'public') return 'public';
  if (route.access === 'open') return 'OPEN: no ApiKeyGuard reaches it';
  const { rateLimit } = route;
  const demands = [
    ...route.scopes,
    ...route.anyOf.map((list) => list.join(' or ')),
    ...(route.comparedOrganizations > 0 ? ['own organization'] : route.needsOrganization ? ['an organization'] : []),
    ...(route.needsUser ? ['a user'] : []),
    ...(route.needsKey ? ['an API key'] : []),
  ];
  const fresh = route.maxAgeMs === null ? [] : [`verified in the last ${route.maxAgeMs / 1_000} s`];
  const limit = rateLimit ? [`at most ${rateLimit.limit} in ${rateLimit.windowMs / 1_000} s`] : [];
  return [...(demands.length > 0 ? demands : ['any valid caller']), ...fresh, ...limit].join(', ');
}
