import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A module class of Nest. */
export type AppModule = new (...args: never[]) => object;

/**
 * Loads the root module of an app from a compiled file.
 *
 * @param file relative to the current folder, e.g. `dist/app.module.js`
 * @throws {Error} with the cure, if the file does not exist, is not compiled or has no module
 */
export async function loadAppModule(file: string): Promise<AppModule> {
  const path = resolve(file);
  if (!existsSync(path))
    throw new Error(`${file} does not exist; build the app first, and pass e.g. dist/app.module.js`);
  if (/\.[cm]?ts$/.test(path))
    throw new Error(`${file} is not compiled; build the app first, and pass e.g. dist/app.module.js`);
  if (statSync(path).isDirectory())
    throw new Error(`${file} is a folder; pass the file of a module, e.g. dist/app.module.js`);
  const loaded = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  const exported: Record<string, unknown> = { ...(loaded['default'] as object | undefined), ...loaded };
  const modules = Object.values(exported).filter(isModule);
  const appModule = isModule(exported['AppModule']) ? exported['AppModule'] : modules[0];
  if (!appModule) throw new Error(`${file} exports no class with @Module()`);
  if (!isModule(exported['AppModule']) && new Set(modules).size > 1)
    throw new Error(`${file} exports several modules, and none of them has the name AppModule`);
  return appModule;
}

function isModule(value: unknown): value is AppModule {
  return (
    typeof value === 'function' &&
    ['imports', 'controllers', 'providers', 'exports'].some((key) => Reflect.hasMetadata?.(key, value))
  );
}
