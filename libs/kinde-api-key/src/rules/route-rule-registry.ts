import type { Log } from '../log.js';
import type { ResolvedGuardOptions, ResolvedOptions } from '../config/resolved-options.js';
import { chainOf, namesOn, type AnyFunction } from '../handlers/ancestors.js';
import { ordinary, type ClassInUse } from '../handlers/linked-classes.js';
import { mergedNames, NO_ROUTE, type RouteNames } from '../handlers/route-names.js';
import { isInFrontOf } from '../handlers/wrapped-methods.js';
import { requestOrgReader, type OrgReader } from './org-reader.js';
import { hasTarget, isResolverClass, type OrganizationTarget } from './org-target.js';
import type { ResolverBinding } from './resolver-binding.js';
import { compileRateLimit, compileRule, type CompiledRule, type RouteRule } from './route-rule.js';
import type { AccessMetadata, HandlerMetadata, RuleMetadata } from './rule-metadata.js';
import { handlerMetadata } from './rule-storage.js';

/** Options that the rules of one registration depend on. */
export interface RouteRuleRegistryOptions
  extends Pick<ResolvedGuardOptions, 'orgParam'>, Pick<ResolvedOptions, 'rateLimit'> {
  /** Controllers that are public without a decorator. */
  readonly publicControllers: ReadonlySet<unknown>;
}

/** The rule of a handler, with the metadata that it was compiled from. */
export interface RegisteredRule extends CompiledRule {
  /** The metadata of the class and of the method. `listed`: the class stands in `publicControllers`. */
  readonly origins: HandlerMetadata & { readonly listed: boolean };
  /** The class that Nest registered. */
  readonly registered: AnyFunction;
  /** The methods that the handler stands for: Nest tells the guard which function it calls, but not under which name. */
  readonly names: readonly string[];
  /** Names of every route that the handler serves: the class may be registered in several modules. */
  readonly routeNames: RouteNames;
  /** What is wrong with the other classes for which Nest tells the guard the same. */
  readonly conflicts: readonly string[];
}

/** Finds what a guard is called for, by the class and the function that Nest tells it. `undefined`: the class is not in the app. */
export type FindHandlers = (told: AnyFunction, handler: AnyFunction) => readonly FoundHandler[] | undefined;

interface FoundHandler extends RoutedClassInUse {
  readonly name: string;
}

/** A class of the app, and the names of a route of it. Without them, its handler has no path. */
interface RoutedClassInUse extends ClassInUse {
  readonly routeNames?: RouteNames;
}

/**
 * The rules of a registration's handlers, each compiled once. Found by what Nest tells the guard: the class, because subclasses share
 * inherited handlers, and the function.
 */
export class RouteRuleRegistry {
  readonly #rules = new WeakMap<AnyFunction, WeakMap<AnyFunction, RegisteredRule>>();
  /** The methods whose rules were compiled, by class. */
  readonly #methods = new WeakMap<AnyFunction, Set<AnyFunction>>();
  /** The functions that were added at boot. */
  readonly #added = new WeakSet<AnyFunction>();

  readonly #options: RouteRuleRegistryOptions;
  // Private to the language: they lead to every object of the app, and a log of a guard must not.
  readonly #resolvers: ResolverBinding;
  readonly #find: FindHandlers;
  readonly #log: Pick<Log, 'warn'> | undefined;

  /**
   * @param find where handlers that were not added are looked for; default: on the class alone
   * @param log told of organizations that are absent from requests
   */
  constructor(
    options: RouteRuleRegistryOptions,
    resolvers: ResolverBinding,
    find: FindHandlers = findOnClass,
    log?: Pick<Log, 'warn'>,
  ) {
    this.#options = options;
    this.#resolvers = resolvers;
    this.#find = find;
    this.#log = log;
  }

  /** Returns an empty registry with the same options, for rules that are only described: what is added to it is not enforced. */
  emptied(): RouteRuleRegistry {
    return new RouteRuleRegistry(this.#options, this.#resolvers, this.#find);
  }

  /** Returns the rule of a handler, or `undefined` for one that is unknown or whose rule has problems: it must be refused. */
  ruleOf(told: AnyFunction, handler: AnyFunction): RouteRule | undefined {
    // Not registered(): a hit goes through here, and needs no further call.
    const known = this.#rules.get(told)?.get(handler) ?? this.#unwrap(told, handler) ?? this.#learn(told, handler);
    return known?.problems.length === 0 ? known.rule : undefined;
  }

  /** Returns what is registered for a handler, with its problems; `undefined` if its rule is not compiled yet. */
  registered(told: AnyFunction, handler: AnyFunction): RegisteredRule | undefined {
    return this.#rules.get(told)?.get(handler);
  }

  /**
   * Compiles the rule of a handler and registers it for the function that Nest will call. That may differ from the prototype's, if it was
   * replaced on the instance. A function that stands for several methods gets the rules of all of them.
   *
   * @param told the class that Nest tells the guard
   * @param inUse the class as Nest sees it; default: an ordinary class
   */
  add(told: AnyFunction, name: string, handler: AnyFunction, inUse: RoutedClassInUse = ordinary(told)): RegisteredRule {
    this.#added.add(handler);
    return this.#register(told, name, handler, inUse);
  }

  #register(told: AnyFunction, name: string, handler: AnyFunction, inUse: RoutedClassInUse): RegisteredRule {
    const earlier = this.registered(told, handler);
    const names = new Set([...(earlier?.names ?? []), ...namesOf(inUse.prototype, handler), name]);
    const routeNames = mergedNames([earlier?.routeNames ?? NO_ROUTE, inUse.routeNames ?? NO_ROUTE]);
    const compiled = this.#compile(inUse, [...names], handler, routeNames);
    const conflicts = [...(earlier?.conflicts ?? []), ...(earlier ? findConflicts(earlier, compiled) : [])];
    const rule = { ...compiled, conflicts, problems: [...compiled.problems, ...conflicts.slice(0, 1)] };
    const rules = this.#rules.get(told) ?? new WeakMap<AnyFunction, RegisteredRule>();
    this.#rules.set(told, rules.set(handler, rule));
    this.#methods.set(told, (this.#methods.get(told) ?? new Set()).add(handler));
    return rule;
  }

  /**
   * For what was not there at boot: a module that was loaded lazily, a microservice that started before the app, a context made by a test.
   * A class that is not in the app must not borrow a handler from one that is: the rules of the other would be lost.
   */
  #learn(told: AnyFunction, handler: AnyFunction): RegisteredRule | undefined {
    const found = this.#find(told, handler) ?? (this.#added.has(handler) ? [] : findOnClass(told, handler));
    for (const one of found) this.#register(told, one.name, handler, one);
    return this.registered(told, handler);
  }

  /** A function in front of one method has its rule. Not searched in the app: a controller made for each request brings a new one each time. */
  #unwrap(told: AnyFunction, wrapper: AnyFunction): RegisteredRule | undefined {
    const [method, ...others] = [...(this.#methods.get(told) ?? [])].filter((one) => isInFrontOf(wrapper, one));
    const rule = method && others.length === 0 ? this.registered(told, method) : undefined;
    if (rule) this.#rules.get(told)?.set(wrapper, rule);
    return rule;
  }

  #compile(
    inUse: ClassInUse,
    names: readonly string[],
    handler: AnyFunction,
    routeNames: RouteNames,
  ): Omit<RegisteredRule, 'conflicts'> {
    const { registered } = inUse;
    const { ofClass, ofMethod } = handlerMetadata(registered, names, handler, inUse);
    const listed: AccessMetadata[] = this.#options.publicControllers.has(registered) ? [{ kind: 'public' }] : [];
    const metadata = { ofClass: { ...ofClass, access: [...listed, ...ofClass.access] }, ofMethod };
    const methodName = names.join('|');
    const rateLimit = compileRateLimit(metadata, routeNames, methodName, this.#options.rateLimit);
    const route = `${registered.name}.${methodName}`;
    const readerOf = this.#readerOf.bind(this, registered, route);
    const compiled = compileRule(route, metadata, readerOf, rateLimit);
    const origins = { ofClass, ofMethod, listed: listed.length > 0 };
    return { ...compiled, origins, registered, names, routeNames };
  }

  /** Returns the reader of a target, `null` where nothing has to be compared, or what is wrong with the resolver. */
  #readerOf(controller: AnyFunction, route: string, target?: OrganizationTarget): OrgReader | string | null {
    const warn = (absence: string): void =>
      this.#log?.warn(
        `@OrgScoped() on ${route} refused a request like one for another organization: ${absence}. This is logged once per route`,
      );
    if (!target) return requestOrgReader({ param: this.#options.orgParam }, warn);
    if (hasTarget(target, 'from')) return null;
    if (!hasTarget(target, 'resolve')) return requestOrgReader(target, warn);
    const { resolve } = target;
    if (isResolverClass(resolve)) return this.#resolvers.bind(controller, resolve);
    return (context, _request, apiKey) => resolve(context, apiKey);
  }
}

/** Returns all metadata that a rule was compiled from, each once. */
export function metadataOf({
  origins: { ofClass, ofMethod },
}: Pick<RegisteredRule, 'origins'>): readonly RuleMetadata[] {
  return [...new Set([ofClass, ofMethod].flatMap(({ access, rateLimits }) => [...access, ...rateLimits]))];
}

/** Finds that two classes with different rules look the same to a guard: which of the two Nest means cannot be known. */
function findConflicts(earlier: RegisteredRule, later: Omit<RegisteredRule, 'conflicts'>): readonly string[] {
  if (earlier.registered === later.registered) return [];
  const [before, after] = [metadataOf(earlier), metadataOf(later)];
  const all = new Set([...before, ...after]);
  if (all.size === before.length && all.size === after.length) return [];
  return [
    `looks the same to a guard as ${earlier.rule.route}, which has other rules: Nest names one class for both, because a mixin copied ` +
      'its constructor; leave out "constructor" where the mixin copies the names of a prototype',
  ];
}

function findOnClass(told: AnyFunction, handler: AnyFunction): readonly FoundHandler[] {
  const inUse = ordinary(told);
  return namesOf(inUse.prototype, handler).map((name) => ({ ...inUse, name }));
}

function namesOf(prototype: object | null, handler: AnyFunction): readonly string[] {
  return chainOf(prototype).flatMap((one) => namesOn(one, handler));
}
