import type { AuditedRoute } from '../audit/audited-route.js';
import { ROUTE_AUDIT, type ApiKeyRouteAudit } from '../audit/route-audit.js';
import { providersOf, withApp } from './run-app.js';

/** Used where the environment has no values: an audit does not call Kinde. */
const ABSENT_CREDENTIALS = {
  KINDE_DOMAIN: 'http://127.0.0.1:9',
  KINDE_MANAGEMENT_CLIENT_ID: 'audit',
  KINDE_MANAGEMENT_CLIENT_SECRET: 'audit',
};

/** Returns what the handlers of an app demand, those of every registration. */
export async function auditApp(file: string, env: NodeJS.ProcessEnv): Promise<readonly AuditedRoute[]> {
  for (const [name, value] of Object.entries(ABSENT_CREDENTIALS)) env[name] ??= value;
  return withApp(file, (app) =>
    providersOf<ApiKeyRouteAudit>(app, ROUTE_AUDIT, file)
      .flatMap((audit) => audit.routes())
      .toSorted((one, other) => (one.route < other.route ? -1 : 1)),
  );
}
