import type { ResolvedRateLimitOptions } from '../config/resolved-options.js';
import { isResolverClass, type OrganizationTarget } from './org-target.js';
import { functionOrgReader, requestOrgReader, resolverOrgReader, type OrgReader } from './org-reader.js';
import type { ResolverBinding } from './resolver-binding.js';
import { compileRule, findContradiction, type RouteRule } from './route-rule.js';
import { ClassNames, compileRateLimit, findRateLimitProblems } from './route-rate-limit.js';
import { classParts, methodParts, nearestClassRateLimits, nearestMethodRateLimits } from './rule-storage.js';
import { isRateLimitMetadata, type RuleMetadata } from './rule-metadata.js';

// oxlint-disable-next-line typescript/no-unsafe-function-type -- Nest's own type of a controller class and of a handler
type AnyFunction = Function;

/** What the rules of one registration go by. */
export interface RouteRuleRegistryOptions {
  readonly orgParam: string;
  /** Controllers that are public although nothing on them says so. */
  readonly publicControllers: ReadonlySet<unknown>;
  /** The limit of every route that has none of its own. Default `null`: not limited. */
  readonly rateLimit?: ResolvedRateLimitOptions | null;
}

/** A compiled rule, or what is wrong with it; a rule with problems is never enforced in part: its handler is refused. */
export interface CompiledRule {
  readonly rule: RouteRule;
  readonly problems: readonly string[];
}

interface KnownRule {
  readonly rule: RouteRule;
  /** The methods that the handler stands for: Nest tells the guard which function it calls, and not under which name. */
  readonly names: readonly string[];
}

/** The rules of a registration's routes, each compiled once and found by class and handler: inherited handlers share a function. */
export class RouteRuleRegistry {
  readonly #options: RouteRuleRegistryOptions;
  readonly #resolvers: ResolverBinding;
  readonly #known = new WeakMap<AnyFunction, Map<AnyFunction, KnownRule>>();
  readonly #classNames = new ClassNames();

  constructor(options: RouteRuleRegistryOptions, resolvers: ResolverBinding) {
    this.#options = options;
    this.#resolvers = resolvers;
  }

  /** @returns the rule of a handler, or `undefined` for one that cannot be found or whose rule is contradictory: it must be refused */
  ruleOf(controller: AnyFunction, handler: AnyFunction): RouteRule | undefined {
    return this.#known.get(controller)?.get(handler)?.rule ?? this.#findRule(controller, handler);
  }

  /**
   * Compiles the rule of a route and remembers it for the function that Nest will call, which may be another one than the prototype's:
   * something may have replaced it on the instance. A function that stands for several methods gets the rules of all of them.
   */
  add(controller: AnyFunction, name: string, handler: AnyFunction): CompiledRule {
    const earlier = this.#known.get(controller)?.get(handler)?.names ?? [];
    const names = [...new Set([...earlier, ...namesOf(controller, handler), name])];
    const compiled = this.#compile(controller, names, handler);
    if (compiled.problems.length === 0) this.#remember(controller, handler, { rule: compiled.rule, names });
    return compiled;
  }

  #findRule(controller: AnyFunction, handler: AnyFunction): RouteRule | undefined {
    const names = namesOf(controller, handler);
    if (names.length === 0) return undefined;
    const { rule, problems } = this.#compile(controller, names, handler);
    if (problems.length > 0) return undefined;
    this.#remember(controller, handler, { rule, names });
    return rule;
  }

  #remember(controller: AnyFunction, handler: AnyFunction, known: KnownRule): void {
    const ofClass = this.#known.get(controller) ?? new Map<AnyFunction, KnownRule>();
    ofClass.set(handler, known);
    this.#known.set(controller, ofClass);
  }

  #compile(controller: AnyFunction, names: readonly string[], handler: AnyFunction): CompiledRule {
    const onClass = this.#options.publicControllers.has(controller)
      ? [PUBLIC, ...classParts(controller)]
      : classParts(controller);
    const onMethod = new Set(names.flatMap((name) => methodParts(controller, name, handler)));
    const parts = { ofClass: onClass.filter(isAccessPart), ofMethod: [...onMethod].filter(isAccessPart) };
    const limits = {
      ofClass: nearestClassRateLimits(controller),
      ofMethod: [...new Set(names.flatMap((name) => nearestMethodRateLimits(controller, name, handler)))],
    };
    const problems: string[] = [];
    const contradiction = findContradiction(parts);
    if (contradiction) problems.push(contradiction);
    const methodName = names.join('|');
    const place = { className: this.#classNames.nameOf(controller), methodName };
    const rule = compileRule(
      `${controller.name}.${methodName}`,
      parts,
      ({ target }) => {
        const source = this.#makeSource(controller, target ?? { param: this.#options.orgParam });
        if (typeof source !== 'string') return source;
        problems.push(`@OrgScoped({ resolve }) ${source}`);
        return null;
      },
      compileRateLimit(limits, place, this.#options.rateLimit ?? null),
    );
    const publicBy = parts.ofMethod.length > 0 ? 'method' : 'class';
    problems.push(...findRateLimitProblems(limits, rule.isPublic ? publicBy : null));
    return { rule, problems };
  }

  #makeSource(controller: AnyFunction, target: OrganizationTarget): OrgReader | string | null {
    if ('from' in target) return null;
    if (!('resolve' in target)) return requestOrgReader(target);
    if (!isResolverClass(target.resolve)) return functionOrgReader(target.resolve);
    const handle = this.#resolvers.bind(controller, target.resolve);
    return typeof handle === 'string' ? handle : resolverOrgReader(handle);
  }
}

const PUBLIC: RuleMetadata = Object.freeze({ kind: 'public' });

function isAccessPart(part: RuleMetadata): boolean {
  return !isRateLimitMetadata(part);
}

/** The names under which a class has a function: by identity and never by `handler.name`, which can be empty or another's. */
function namesOf(controller: AnyFunction, handler: AnyFunction): readonly string[] {
  const names = new Set<string>();
  for (
    let prototype = controller.prototype as object | null;
    prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (value === handler) names.add(name);
    }
  }
  return [...names];
}
