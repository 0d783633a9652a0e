import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { Registration } from '../guard/registration.js';
import type { AnyFunction } from '../handlers/ancestors.js';
import type { AppHandler, AppHandlers } from '../handlers/app-handlers.js';
import { classHostsOf, classToldBy } from '../handlers/class-hosts.js';
import type { ExternalHandler, ExternalHandlers } from '../handlers/external-handlers.js';
import type { NestModule } from '../handlers/provider-lookup.js';
import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';
import { copiesWarning } from '../copies.js';
import { httpRoutesOf, type ApiOptions, type AuditedApi } from './audited-api.js';
import { auditedRoutes, type AuditedRoute } from './audited-route.js';
import { budgetProblems } from './budget-names.js';
import type { RouteRule } from '../rules/route-rule.js';
import type { RegisteredRule } from '../rules/route-rule-registry.js';
import { cacheWarnings, hasCacheByUrl } from './cache-interceptors.js';
import { GuardCoverage } from './guard-coverage.js';
import { problemsOf, type HandlerCheckOptions } from './handler-problems.js';
import { checkGlobalRegistrations, duplicateWarnings, isOwner, registrationsIn } from './registrations.js';
import { unusedRules } from './unused-rules.js';

/** Options of the boot check. */
export interface BootCheckOptions extends HandlerCheckOptions, ApiOptions {
  /** Guards that count besides `ApiKeyGuard`. See {@link GuardCoverage}. */
  readonly countedGuards: readonly unknown[];
  /** Finds the credential of a microservice's message. `null`: the guard refuses all. */
  readonly rpcCredential: unknown;
}

/** Result of the boot check, for the lines that the module logs. */
export interface BootReport {
  /** Number of routes that demand a key. */
  readonly guarded: number;
  /** Number of routes that were declared public. */
  readonly public: number;
  /** Likely mistakes that do not stop the boot. */
  readonly warnings: readonly string[];
}

/** A handler, and whether an `ApiKeyGuard` runs before it. */
interface CheckedHandler {
  readonly handler: AppHandler;
  readonly isReached: boolean;
}

/** Checks every handler of a registration before the first request, so that every rule is enforced or stops the boot. */
export class BootCheck {
  readonly #problems = new Set<string>();
  readonly #routes = { guarded: 0, public: 0 };
  readonly #refused = new Set<string>();
  readonly #cachedByUrl = new Set<string>();
  readonly #checked: CheckedHandler[] = [];
  readonly #coverage: GuardCoverage;

  constructor(
    private readonly registration: Registration,
    private readonly options: BootCheckOptions,
    private readonly modules: ModulesContainer,
    private readonly handlers: AppHandlers,
    private readonly external: ExternalHandlers,
    private readonly config: ApplicationConfig,
  ) {
    this.#coverage = new GuardCoverage(options.countedGuards);
  }

  /**
   * @throws {KindeApiKeyConfigurationError} INVALID_CONFIGURATION with every problem at once, each naming the handler and the cure
   */
  run(): BootReport {
    const found = registrationsIn(this.modules);
    checkGlobalRegistrations(found);
    const modules = [...this.modules.values()];
    const controllers = new Set<AnyFunction>(
      modules.flatMap(classHostsOf).flatMap((host) => (host.isController ? [host.registered, host.told] : [])),
    );
    const owned = modules.filter((one) => this.#owns(one));
    const declared = owned.map((module) => this.handlers.declaredIn(module));
    const checked: AppHandler[] = declared.flat();
    const isDeclared = ({ told, handler }: AppHandler): boolean =>
      checked.some((one) => one.told === told && one.handler === handler);
    const calledExternally = this.external
      .take((late) => this.#checkLate(late))
      .filter((one) => this.#owns(this.handlers.hostOf(one.instance)?.module))
      .map((one) => this.handlers.describeExternal(one));
    for (const handler of calledExternally.filter((one) => !isDeclared(one))) this.#check(handler);
    for (const [index, module] of owned.entries()) {
      for (const handler of declared[index] ?? []) this.#check(handler);
      const known = [...(declared[index] ?? []), ...calledExternally];
      for (const problem of unusedRules(classHostsOf(module), known, controllers)) this.#problems.add(problem);
    }
    for (const problem of this.registration.principals?.problems ?? []) this.#problems.add(problem);
    // At the end, because a class may be registered in several modules: a budget's name is made from the paths of all of them.
    const inForce = checked.flatMap((one) => this.registration.rules.ruleOf(one.told, one.handler) ?? []);
    for (const problem of budgetProblems(inForce)) this.#problems.add(problem);
    this.#throwProblems();
    const warnings = [
      ...duplicateWarnings(this.registration, found),
      ...this.#refusedWarnings(),
      ...cacheWarnings(this.#cachedByUrl),
      ...[copiesWarning() ?? []].flat(),
    ];
    return { ...this.#routes, warnings };
  }

  /** The routes that a guard protects, without public ones. */
  get rules(): readonly RouteRule[] {
    const isGuarded = ({ handler, isReached }: CheckedHandler): boolean => isReached && !this.#refusesAll(handler);
    const rules = this.#checked.filter(isGuarded).map((one) => this.#registeredRule(one.handler).rule);
    return [...new Set(rules)].filter((rule) => !rule.isPublic);
  }

  /** What every handler demands. Its rule is read now: a class may have been registered in several modules. */
  get routes(): readonly AuditedRoute[] {
    return this.#checked.flatMap(({ handler, isReached }) =>
      auditedRoutes(handler, this.#registeredRule(handler), isReached),
    );
  }

  /** The routes over HTTP and how they are answered, as they are now: before the app has started, too. */
  get api(): AuditedApi {
    const { refusals, rules } = this.registration;
    const declared = [...this.modules.values()]
      .filter((one) => this.#owns(one))
      .flatMap((one) => this.handlers.declaredIn(one));
    const routes = httpRoutesOf(declared, rules.emptied(), (handler) => this.#coverage.covers(handler));
    return { globalPrefix: this.config.getGlobalPrefix(), options: this.options, refusals, routes };
  }

  #registeredRule({ told, handler }: AppHandler): RegisteredRule {
    const rule = this.registration.rules.registered(told, handler);
    if (!rule) throw new Error('the handler was not checked');
    return rule;
  }

  #owns(module: NestModule | undefined): boolean {
    return isOwner(this.registration, module, this.modules);
  }

  #check(handler: AppHandler): void {
    const { registered, told, name, transport } = handler;
    const rule = this.registration.rules.add(told, name, handler.handler, handler);
    const isReached = this.#coverage.covers(handler);
    const route = `${registered.name}.${name}`;
    this.#checked.push({ handler, isReached });
    for (const problem of problemsOf(handler, rule, isReached, this.options)) this.#problems.add(`${route} ${problem}`);
    if (rule.rule.isPublic) this.#routes.public += 1;
    else if (isReached) {
      if (this.#refusesAll(handler)) return void this.#refused.add(route);
      this.#routes.guarded += 1;
      if (transport === 'http' && hasCacheByUrl(handler, this.config)) this.#cachedByUrl.add(route);
    }
  }

  /** Whether the guard does not know where a key is in the calls of a handler. */
  #refusesAll({ transport }: AppHandler): boolean {
    return transport === 'external' || (transport === 'rpc' && this.options.rpcCredential === null);
  }

  /** Checks a handler that appears after the boot, before its first call. */
  #checkLate(late: ExternalHandler): void {
    // First: a resolver that is made for each request comes here with each.
    const told = classToldBy(late.instance);
    if (told && this.registration.rules.registered(told, late.handler)) return;
    if (!this.#owns(this.handlers.hostOf(late.instance)?.module)) return;
    const handler = this.handlers.describeExternal(late);
    this.#problems.clear();
    this.#check(handler);
    this.#throwProblems();
  }

  #throwProblems(): void {
    if (this.#problems.size > 0)
      throw new KindeApiKeyConfigurationError('The rules on these handlers cannot be kept:', [...this.#problems]);
  }

  #refusedWarnings(): string[] {
    if (this.#refused.size === 0) return [];
    return [
      `ApiKeyGuard refuses every call to ${[...this.#refused].join(', ')}, because it does not know where the key is: set the option rpcCredential ` +
        'for messages of a microservice; elsewhere add @PublicRoute(), and call ApiKeyVerificationService where the key arrives',
    ];
  }
}
