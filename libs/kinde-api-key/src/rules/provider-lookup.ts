import type { InjectionToken } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

/** A module of the running app, in Nest's own type. */
export type NestModule = ModulesContainer extends Map<string, infer M> ? M : never;
/** A provider of the running app, in Nest's own type. */
export type ProviderWrapper = NestModule['providers'] extends Map<unknown, infer W> ? W : never;

/** A provider and the module that declares it. */
export interface FoundProvider {
  readonly host: NestModule;
  readonly wrapper: ProviderWrapper;
}

/**
 * Finds the provider that Nest injects into the classes of a module: the module's own, then those that its imports export. Global modules are
 * among the imports of every module.
 */
export function findVisibleProvider(module: NestModule, token: InjectionToken): FoundProvider | undefined {
  return foundIn(module, token) ?? findExported(module.imports, token, new Set([module]));
}

/** Returns every provider of the app under a token. */
export function findAllProviders(modules: Iterable<NestModule>, token: InjectionToken): readonly FoundProvider[] {
  return [...modules].map((module) => foundIn(module, token)).filter((found) => found !== undefined);
}

function findExported(
  imports: Iterable<NestModule>,
  token: InjectionToken,
  seen: Set<NestModule>,
): FoundProvider | undefined {
  for (const module of imports) {
    if (seen.has(module)) continue;
    seen.add(module);
    const own = module.exports.has(token) ? foundIn(module, token) : undefined;
    const found = own ?? findExported(reExported(module), token, seen);
    if (found) return found;
  }
  return undefined;
}

function reExported(module: NestModule): NestModule[] {
  return [...module.imports].filter(({ metatype }) => module.exports.has(metatype));
}

function foundIn(host: NestModule, token: InjectionToken): FoundProvider | undefined {
  const wrapper = host.providers.get(token);
  return wrapper && { host, wrapper };
}
