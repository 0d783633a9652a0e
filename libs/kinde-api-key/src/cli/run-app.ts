import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SKIP_BOOT_VERIFICATION } from '../doctor/verify-at-boot.js';
import { loadAppModule } from './load-app-module.js';

/** Methods of the console that write to standard output. */
const TO_STDOUT = ['log', 'info', 'debug'] as const;

/**
 * Starts an app without a server and without a call to Kinde, and ends it afterwards. The app connects to its own database, if it does so at
 * start. What it prints goes to standard error: standard output is for the result, which may be JSON.
 */
export async function withApp<T>(file: string, work: (app: INestApplicationContext) => T | Promise<T>): Promise<T> {
  const own = TO_STDOUT.map((name) => [name, console[name]] as const);
  for (const name of TO_STDOUT) console[name] = (...args: unknown[]) => console.error(...args);
  Object.assign(globalThis, { [SKIP_BOOT_VERIFICATION]: true });
  try {
    const options = { logger: false, abortOnError: false } as const;
    const app = await NestFactory.createApplicationContext(await loadAppModule(file), options);
    try {
      return await work(app);
    } finally {
      await app.close();
    }
  } finally {
    Reflect.deleteProperty(globalThis, SKIP_BOOT_VERIFICATION);
    for (const [name, method] of own) console[name] = method;
  }
}

/** Returns a provider of every registration in an app. @throws {Error} if the app has none */
export function providersOf<T>(app: INestApplicationContext, token: symbol, file: string): readonly T[] {
  let found: readonly T[];
  try {
    found = app.get<unknown, T>(token, { strict: false, each: true });
  } catch {
    found = [];
  }
  if (found.length > 0) return found;
  throw new Error(`${file} does not import KindeApiKeyModule, or another version of it`);
}
