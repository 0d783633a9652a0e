import { styleText } from 'node:util';
import type { AuditedRoute } from '../audit/audited-route.js';
import { demandsOf, type RouteChange } from '../audit/compare-audits.js';

const COLORS = { looser: 'red', stricter: 'green', new: 'yellow', gone: 'yellow' } as const;

/** Returns a table of routes: the route, and what it demands. */
export function printRoutes(routes: readonly AuditedRoute[]): string {
  if (routes.length === 0) return 'This app has no routes.\n';
  const width = Math.max(...routes.map(({ route }) => route.length));
  const lines = routes.map((one) => `${one.route.padEnd(width)}  ${demandsOf(one)}`);
  const counted = (access: AuditedRoute['access']) => routes.filter((one) => one.access === access).length;
  return `${lines.join('\n')}\n\n${counted('guarded')} guarded, ${counted('public')} public, ${counted('open')} open\n`;
}

/**
 * Returns a line for each change, and what to do where a route became looser.
 *
 * @param saving the command that saves the audit again
 */
export function printChanges(changes: readonly RouteChange[], saving: string, hasColors: boolean): string {
  if (changes.length === 0) return 'No route has changed.\n';
  const lines = changes.map(({ kind, route, what }) => {
    const mark = kind.padEnd(9);
    return `${hasColors ? styleText(COLORS[kind], mark, { validateStream: false }) : mark}${route}: ${what}`;
  });
  const looser = new Set(changes.filter(({ kind }) => kind === 'looser').map(({ route }) => route)).size;
  if (looser === 0) return `${lines.join('\n')}\n`;
  const count = `${looser} ${looser === 1 ? 'route' : 'routes'} became looser: callers that were refused may be accepted.`;
  return `${lines.join('\n')}\n\n${count}\nIf this is meant, save the audit again: ${saving}\n`;
}
