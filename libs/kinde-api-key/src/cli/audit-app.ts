import { NestFactory } from '@nestjs/core';
import type { AuditedRoute } from '../audit/audited-route.js';
import { ROUTE_AUDIT, type ApiKeyRouteAudit } from '../audit/route-audit.js';
import { SKIP_BOOT_VERIFICATION } from '../doctor/verify-at-boot.js';
import { loadAppModule } from './load-app-module.js';

/** Used where the environment has no values: an audit does not call Kinde. */
const ABSENT_CREDENTIALS = {
  KINDE_DOMAIN: 'http://127.0.0.1:9',
  KINDE_MANAGEMENT_CLIENT_ID: 'audit',
  KINDE_MANAGEMENT_CLIENT_SECRET: 'audit',
};

/** Starts an app without a server, and returns what its handlers demand. The app connects to its own database, if it does so at start. */
export async function auditApp(file: string, env: NodeJS.ProcessEnv): Promise<readonly AuditedRoute[]> {
  for (const [name, value] of Object.entries(ABSENT_CREDENTIALS)) env[name] ??= value;
  Object.assign(globalThis, { [SKIP_BOOT_VERIFICATION]: true });
  const app = await NestFactory.createApplicationContext(await loadAppModule(file), {
    logger: ['error'],
    abortOnError: false,
  });
  try {
    return app.get<ApiKeyRouteAudit>(ROUTE_AUDIT, { strict: false }).routes();
  } finally {
    await app.close();
  }
}
