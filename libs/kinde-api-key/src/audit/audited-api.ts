import type { ResolvedGuardOptions } from '../config/resolved-options.js';
import type { Registration } from '../guard/registration.js';
import type { AppHandler } from '../handlers/app-handlers.js';
import type { RouteRule } from '../rules/route-rule.js';
import type { RouteRuleRegistry } from '../rules/route-rule-registry.js';

/** @internal A route over HTTP, and what it demands. */
export interface HttpRoute {
  /** One for each path, e.g. `GET /users/:id version 2`. */
  readonly names: readonly string[];
  /** `GET`, `POST` and so on, or `ALL`. */
  readonly verb: string;
  /** As Nest registers them, e.g. `/users/:id`. */
  readonly paths: readonly string[];
  readonly rule: RouteRule;
  /** Whether an `ApiKeyGuard` runs before it. */
  readonly isReached: boolean;
}

/** @internal Options that the answers depend on. */
export type ApiOptions = Pick<ResolvedGuardOptions, 'credentials' | 'principals' | 'failedAttempts'>;

/** @internal The routes of a registration, and what answers their refused requests. */
export interface AuditedApi {
  /** The global prefix of the app. Paths have it already, unless they are excluded from it. */
  readonly globalPrefix: string;
  readonly options: ApiOptions;
  readonly refusals: Registration['refusals'];
  readonly routes: readonly HttpRoute[];
}

/** @param rules gets the rules of the handlers */
export function httpRoutesOf(
  handlers: readonly AppHandler[],
  rules: RouteRuleRegistry,
  isReached: (handler: AppHandler) => boolean,
): readonly HttpRoute[] {
  const routed = handlers.filter(({ transport, paths }) => transport === 'http' && paths.length > 0);
  for (const handler of routed) rules.add(handler.told, handler.name, handler.handler, handler);
  return routed.flatMap((handler): HttpRoute[] => {
    const { paths, routeNames } = handler;
    const [verb = ''] = routeNames.ofMethod[0]?.split(' ') ?? [];
    const registered = rules.registered(handler.told, handler.handler);
    if (!registered) return [];
    return [{ names: routeNames.ofMethod, verb, paths, rule: registered.rule, isReached: isReached(handler) }];
  });
}
