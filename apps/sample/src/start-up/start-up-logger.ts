import { ConsoleLogger } from '@nestjs/common';

/** Contexts of Nest's own boot log: forty lines on modules and routes, and errors that the start-up reports in one line. */
const BOOT_CONTEXTS = new Set([
  'ExceptionHandler',
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
]);

/** Nest's console logger without Nest's own boot log, so that the library's lines about the routes are visible. */
export class StartUpLogger extends ConsoleLogger {
  override log(message: unknown, ...rest: unknown[]): void {
    if (!BOOT_CONTEXTS.has(String(rest.at(-1)))) super.log(message, ...rest);
  }

  override error(message: unknown, ...rest: unknown[]): void {
    if (!BOOT_CONTEXTS.has(String(rest.at(-1)))) super.error(message, ...rest);
  }
}
