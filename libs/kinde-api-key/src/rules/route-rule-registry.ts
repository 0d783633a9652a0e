import type { ResolvedRateLimitOptions } from '../config/resolved-rate-limit.js';
import { prototypesOf, type AnyFunction } from './ancestors.js';
import { functionOrgReader, requestOrgReader, resolverOrgReader, type OrgReader } from './org-reader.js';
import { isResolverClass, type OrganizationTarget } from './org-target.js';
import type { ResolverBinding } from './resolver-binding.js';
import { ClassNames, compileRateLimit } from './route-rate-limit.js';
import { compileRule, findProblems, type RouteRule } from './route-rule.js';
import type { AccessMetadata, HandlerMetadata } from './rule-metadata.js';
import { handlerMetadata } from './rule-storage.js';

/** Options that the rules of one registration depend on. */
export interface RouteRuleRegistryOptions {
  /** Route parameter that a bare `@OrgScoped()` compares. */
  readonly orgParam: string;
  /** Controllers that are public without a decorator. */
  readonly publicControllers: ReadonlySet<unknown>;
  /** Limit of every route without a limit of its own. Default `null`: not limited. */
  readonly rateLimit?: ResolvedRateLimitOptions | null;
}

/** A compiled rule and its problems. A rule with problems is not enforced in part: its handler is refused. */
export interface CompiledRule {
  readonly rule: RouteRule;
  readonly problems: readonly string[];
}

interface RegisteredRule {
  readonly rule: RouteRule;
  /** The methods that the handler stands for: Nest tells the guard which function it calls, but not under which name. */
  readonly names: readonly string[];
}

const PUBLIC: AccessMetadata = Object.freeze({ kind: 'public' });

/** The rules of a registration's routes, each compiled once. Found by class and handler, because subclasses share inherited handlers. */
export class RouteRuleRegistry {
  readonly #options: RouteRuleRegistryOptions;
  readonly #resolvers: ResolverBinding;
  readonly #rules = new WeakMap<AnyFunction, Map<AnyFunction, RegisteredRule>>();
  readonly #classNames = new ClassNames();

  constructor(options: RouteRuleRegistryOptions, resolvers: ResolverBinding) {
    this.#options = options;
    this.#resolvers = resolvers;
  }

  /** Returns the rule of a handler, or `undefined` for one that is unknown or whose rule has problems: it must be refused. */
  ruleOf(controller: AnyFunction, handler: AnyFunction): RouteRule | undefined {
    const registered = this.#rules.get(controller)?.get(handler);
    if (registered) return registered.rule;
    const names = namesOf(controller, handler);
    if (names.length === 0) return undefined;
    const { rule, problems } = this.#register(controller, names, handler);
    return problems.length === 0 ? rule : undefined;
  }

  /**
   * Compiles the rule of a route and registers it for the function that Nest will call. That may differ from the prototype's, if it was
   * replaced on the instance. A function that stands for several methods gets the rules of all of them.
   */
  add(controller: AnyFunction, name: string, handler: AnyFunction): CompiledRule {
    const earlier = this.#rules.get(controller)?.get(handler)?.names ?? [];
    return this.#register(controller, [...new Set([...earlier, ...namesOf(controller, handler), name])], handler);
  }

  #register(controller: AnyFunction, names: readonly string[], handler: AnyFunction): CompiledRule {
    const compiled = this.#compile(controller, names, handler);
    if (compiled.problems.length === 0) {
      const ofClass = this.#rules.get(controller) ?? new Map<AnyFunction, RegisteredRule>();
      ofClass.set(handler, { rule: compiled.rule, names });
      this.#rules.set(controller, ofClass);
    }
    return compiled;
  }

  #compile(controller: AnyFunction, names: readonly string[], handler: AnyFunction): CompiledRule {
    const metadata = this.#metadataOf(controller, names, handler);
    const problems = [...findProblems(metadata)];
    const makeReader = (target: OrganizationTarget = { param: this.#options.orgParam }): OrgReader | null => {
      const reader = this.#makeReader(controller, target);
      if (typeof reader !== 'string') return reader;
      problems.push(`@OrgScoped({ resolve }) ${reader}`);
      return null;
    };
    const methodName = names.join('|');
    const className = this.#classNames.nameOf(controller);
    const rateLimit = compileRateLimit(metadata, { className, methodName }, this.#options.rateLimit ?? null);
    return { rule: compileRule(`${controller.name}.${methodName}`, metadata, makeReader, rateLimit), problems };
  }

  #metadataOf(controller: AnyFunction, names: readonly string[], handler: AnyFunction): HandlerMetadata {
    const { ofClass, ofMethod } = handlerMetadata(controller, names, handler);
    if (!this.#options.publicControllers.has(controller)) return { ofClass, ofMethod };
    return { ofClass: { ...ofClass, access: [PUBLIC, ...ofClass.access] }, ofMethod };
  }

  /** Returns the reader of a target, `null` where nothing has to be compared, or what is wrong with the resolver. */
  #makeReader(controller: AnyFunction, target: OrganizationTarget): OrgReader | string | null {
    if ('from' in target) return null;
    if (!('resolve' in target)) return requestOrgReader(target);
    if (!isResolverClass(target.resolve)) return functionOrgReader(target.resolve);
    const handle = this.#resolvers.bind(controller, target.resolve);
    return typeof handle === 'string' ? handle : resolverOrgReader(handle);
  }
}

/** Returns the names of a function on a class. Found by identity, because `handler.name` can be empty or another method's. */
function namesOf(controller: AnyFunction, handler: AnyFunction): readonly string[] {
  const names = prototypesOf(controller).flatMap((prototype) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(([, { value }]) => value === handler)
      .map(([name]) => name),
  );
  return [...new Set(names)];
}
