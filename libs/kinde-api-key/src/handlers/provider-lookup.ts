import type { InjectionToken } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

/** A module of the running app, in Nest's own type. */
export type NestModule = ModulesContainer extends Map<string, infer M> ? M : never;

/** A provider, in Nest's own type, and the module that declares it. */
export interface FoundProvider {
  readonly host: NestModule;
  readonly wrapper: NestModule['providers'] extends Map<unknown, infer W> ? W : never;
}

/**
 * Finds the provider that Nest injects into the classes of a module: the module's own, then those that its imports export. Global modules are
 * among the imports of every module.
 */
export function findVisibleProvider(module: NestModule, token: InjectionToken): FoundProvider | undefined {
  return foundIn(module, token) ?? findExported([...module.imports], token, new Set([module]));
}

/** Returns every provider of the app under a token. */
export function findAllProviders(modules: Iterable<NestModule>, token: InjectionToken): readonly FoundProvider[] {
  return [...modules].map((module) => foundIn(module, token)).filter((found) => found !== undefined);
}

function findExported(
  imports: readonly NestModule[],
  token: InjectionToken,
  seen: Set<NestModule>,
): FoundProvider | undefined {
  for (const module of imports.filter((one) => !seen.has(one))) {
    seen.add(module);
    const reExported = [...module.imports].filter(({ metatype }) => module.exports.has(metatype));
    const own = module.exports.has(token) ? foundIn(module, token) : undefined;
    const found = own ?? findExported(reExported, token, seen);
    if (found) return found;
  }
  return undefined;
}

function foundIn(host: NestModule, token: InjectionToken): FoundProvider | undefined {
  const wrapper = host.providers.get(token);
  return wrapper && { host, wrapper };
}
