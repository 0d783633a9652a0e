import type { ResolvedGuardOptions, ResolvedOptions } from '../config/resolved-options.js';
import { prototypesOf, type AnyFunction } from './ancestors.js';
import { requestOrgReader, type OrgReader } from './org-reader.js';
import { isResolverClass, type OrganizationTarget } from './org-target.js';
import type { ResolverBinding } from './resolver-binding.js';
import { compileRateLimit, compileRule, type CompiledRule, type RouteRule } from './route-rule.js';
import type { AccessMetadata } from './rule-metadata.js';
import { handlerMetadata } from './rule-storage.js';

/** Options that the rules of one registration depend on. */
export interface RouteRuleRegistryOptions
  extends Pick<ResolvedGuardOptions, 'orgParam'>, Pick<ResolvedOptions, 'rateLimit'> {
  /** Controllers that are public without a decorator. */
  readonly publicControllers: ReadonlySet<unknown>;
}

interface RegisteredRule extends CompiledRule {
  /** The methods that the handler stands for: Nest tells the guard which function it calls, but not under which name. */
  readonly names: readonly string[];
}

/** The rules of a registration's routes, each compiled once. Found by class and handler, because subclasses share inherited handlers. */
export class RouteRuleRegistry {
  readonly #rules = new WeakMap<AnyFunction, Map<AnyFunction, RegisteredRule>>();
  readonly #namesakes = new Map<string, Set<AnyFunction>>();

  readonly #options: RouteRuleRegistryOptions;
  // Private to the language: it leads to every object of the app, and a log of a guard must not.
  readonly #resolvers: ResolverBinding;

  constructor(options: RouteRuleRegistryOptions, resolvers: ResolverBinding) {
    this.#options = options;
    this.#resolvers = resolvers;
  }

  /** Returns the rule of a handler, or `undefined` for one that is unknown or whose rule has problems: it must be refused. */
  ruleOf(controller: AnyFunction, handler: AnyFunction): RouteRule | undefined {
    const known = this.#rules.get(controller)?.get(handler);
    const names = known?.names ?? namesOf(controller, handler);
    if (names.length === 0) return undefined;
    const { rule, problems } = known ?? this.#compile(controller, names, handler);
    return problems.length === 0 ? rule : undefined;
  }

  /**
   * Compiles the rule of a route and registers it for the function that Nest will call. That may differ from the prototype's, if it was
   * replaced on the instance. A function that stands for several methods gets the rules of all of them.
   */
  add(controller: AnyFunction, name: string, handler: AnyFunction): CompiledRule {
    const earlier = this.#rules.get(controller)?.get(handler)?.names ?? [];
    return this.#compile(controller, [...earlier, ...namesOf(controller, handler), name], handler);
  }

  #compile(controller: AnyFunction, allNames: readonly string[], handler: AnyFunction): RegisteredRule {
    const names = [...new Set(allNames)];
    const { ofClass, ofMethod } = handlerMetadata(controller, names, handler);
    const listed: AccessMetadata[] = this.#options.publicControllers.has(controller) ? [{ kind: 'public' }] : [];
    const metadata = { ofClass: { ...ofClass, access: [...listed, ...ofClass.access] }, ofMethod };
    const methodName = names.join('|');
    const rateLimit = compileRateLimit(metadata, this.#uniqueNameOf(controller), methodName, this.#options.rateLimit);
    const readerOf = this.#readerOf.bind(this, controller);
    const compiled = { ...compileRule(`${controller.name}.${methodName}`, metadata, readerOf, rateLimit), names };
    const rules = this.#rules.get(controller) ?? new Map<AnyFunction, RegisteredRule>();
    this.#rules.set(controller, rules.set(handler, compiled));
    return compiled;
  }

  /** Returns the reader of a target, `null` where nothing has to be compared, or what is wrong with the resolver. */
  #readerOf(controller: AnyFunction, target?: OrganizationTarget): OrgReader | string | null {
    if (!target) return requestOrgReader({ param: this.#options.orgParam });
    if ('from' in target) return null;
    if (!('resolve' in target)) return requestOrgReader(target);
    const { resolve } = target;
    if (isResolverClass(resolve)) return this.#resolvers.bind(controller, resolve);
    return (context, _request, apiKey) => resolve(context, apiKey);
  }

  /** Returns the name of a class, with a number added for the second class of that name and later ones. */
  #uniqueNameOf(controller: AnyFunction): string {
    const namesakes = this.#namesakes.get(controller.name) ?? new Set();
    this.#namesakes.set(controller.name, namesakes.add(controller));
    const position = [...namesakes].indexOf(controller) + 1;
    return position === 1 ? controller.name : `${controller.name}~${position}`;
  }
}

/** Returns the names of a function on a class. Found by identity, because `handler.name` can be empty or another method's. */
function namesOf(controller: AnyFunction, handler: AnyFunction): readonly string[] {
  return prototypesOf(controller).flatMap((prototype) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(([, { value }]) => value === handler)
      .map(([name]) => name),
  );
}
