import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { KINDE_API_KEY_REGISTRATION, type Registration } from '../guard/registration.js';
import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';
import {
  findAllProviders,
  findVisibleProvider,
  type FoundProvider,
  type NestModule,
} from '../rules/provider-lookup.js';
import { describeRule, isRateLimitMetadata, type RuleMetadata } from '../rules/rule-metadata.js';
import { classMetadata, methodMetadata } from '../rules/rule-storage.js';
import { otherMethodsOf, providerClassesOf, routesOf, type AppRoute } from './app-routes.js';
import { cacheInterceptorWarning } from './cache-interceptors.js';
import { GuardCoverage } from './guard-coverage.js';

/** Options of the boot check. */
export interface BootCheckOptions {
  /** Whether every handler needs a decision, because the guard protects all of them. */
  readonly isStrict: boolean;
  /** Route parameter that a bare `@OrgScoped()` compares. */
  readonly orgParam: string;
  /** Guards that count besides `ApiKeyGuard`. See {@link GuardCoverage}. */
  readonly countedGuards: readonly unknown[];
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

/** Checks every route of a registration before the first request, so that every rule is enforced or stops the boot. */
export class BootCheck {
  readonly #problems = new Set<string>();
  readonly #warnings: string[] = [];
  readonly #routes = { guarded: 0, public: 0 };
  readonly #coverage: GuardCoverage;

  constructor(
    private readonly registration: Registration,
    private readonly options: BootCheckOptions,
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    this.#coverage = new GuardCoverage(config, options.countedGuards);
  }

  /**
   * @throws {KindeApiKeyConfigurationError} INVALID_CONFIGURATION with every problem at once, each naming the handler and the cure
   */
  run(): BootReport {
    const found = findAllProviders(this.modules.values(), KINDE_API_KEY_REGISTRATION);
    checkGlobalRegistrations(found);
    for (const module of this.modules.values()) {
      const owner = findVisibleProvider(module, KINDE_API_KEY_REGISTRATION) ?? found[0];
      if (owner && registrationOf(owner).id === this.registration.id) this.#checkModule(module);
    }
    if (this.#problems.size > 0)
      throw new KindeApiKeyConfigurationError('The rules on these handlers cannot be kept:', [...this.#problems]);
    return {
      ...this.#routes,
      warnings: [...this.#duplicateRegistrationWarnings(found.map(registrationOf)), ...this.#warnings],
    };
  }

  /** Returns a warning from the later of two registrations that ask the same Kinde application about the same API. */
  #duplicateRegistrationWarnings(registrations: readonly Registration[]): string[] {
    const first = registrations.find(({ kinde }) => kinde === this.registration.kinde);
    if (first === this.registration) return [];
    return [
      `a second registration asks ${this.registration.kinde}: it has a cache and an M2M token of its own, and invalidate() reaches only one of ` +
        'them. Import one KindeApiKeyModule.forRoot() in the root module instead',
    ];
  }

  #checkModule(module: NestModule): void {
    for (const route of routesOf(module, this.modules, this.config)) this.#checkRoute(route);
    for (const owner of providerClassesOf(module, this.modules))
      this.#checkUnenforced(owner.name, classMetadata(owner));
    for (const { owner, name, isHandler } of otherMethodsOf(module)) {
      const inherited = isHandler ? classMetadata(owner) : [];
      this.#checkUnenforced(`${owner.name}.${name}`, [...methodMetadata(owner, name), ...inherited]);
    }
  }

  #checkRoute(route: AppRoute): void {
    const { controller, handler } = route;
    const name = `${controller.name}.${route.name}`;
    const { rule, problems } = this.registration.rules.add(controller, route.name, handler);
    for (const problem of problems) this.#problems.add(`${name} ${problem}`);
    if (rule.isPublic) {
      this.#routes.public += 1;
      return;
    }
    const metadata = [...classMetadata(controller), ...methodMetadata(controller, route.name, handler)];
    if (this.#coverage.covers(route)) {
      this.#routes.guarded += 1;
      this.#warnings.push(...cacheInterceptorWarning(route, this.config));
    } else if (rule.isDecided || metadata.some(isRateLimitMetadata)) {
      const carried = [...new Set(metadata.map(describeRule))].join(' ');
      this.#problems.add(
        `${name} carries ${carried} but no ApiKeyGuard reaches it: add @UseGuards(ApiKeyGuard) to the class or the ` +
          'method, set globalGuard: true, or name your own guard that calls ApiKeyGuard in the option guardedBy',
      );
    }
    if (this.options.isStrict && !rule.isDecided) {
      this.#problems.add(
        `${name} has no decision, which globalGuard demands of every handler: add @RequireScopes(), @AnyValidKey() or another rule, ` +
          '@PublicRoute(), or name a controller that you cannot edit in globalGuard: { publicControllers: [...] }',
      );
    }
    this.#checkParameters(route, name, metadata);
  }

  /** Finds rules that compare a missing route parameter: they would refuse every request. */
  #checkParameters({ paths }: AppRoute, name: string, metadata: readonly RuleMetadata[]): void {
    for (const one of metadata) {
      if (one.kind !== 'organization') continue;
      const target = one.target ?? { param: this.options.orgParam };
      if (!('param' in target) || paths.some((path) => hasParameter(path, target.param))) continue;
      this.#problems.add(
        `${name} carries @OrgScoped() for the route parameter "${target.param}", which is in none of its paths: add :${target.param} to the path, ` +
          "or say where the organization stands, e.g. @OrgScoped({ param: 'id' }) or @OrgScoped({ resolve: MyOrgResolver })",
      );
    }
  }

  #checkUnenforced(name: string, [metadata]: readonly RuleMetadata[]): void {
    if (!metadata) return;
    this.#problems.add(
      `${name} carries ${describeRule(metadata)} but is no HTTP route, so nothing enforces it: remove the decorator, ` +
        'or call ApiKeyVerificationService where the key arrives',
    );
  }
}

function checkGlobalRegistrations(registrations: readonly FoundProvider[]): void {
  if (registrations.filter(({ host }) => host.isGlobal).length <= 1) return;
  throw new KindeApiKeyConfigurationError('KindeApiKeyModule is registered more than once:', [
    'two global registrations: the order of imports would decide which one protects a route. Import KindeApiKeyModule.forRoot() once, ' +
      'in the root module; for a second Kinde domain pass isGlobal: false and import it in the feature modules that use it',
  ]);
}

function registrationOf({ wrapper }: FoundProvider): Registration {
  return wrapper.instance as Registration;
}

function hasParameter(path: string, name: string): boolean {
  return new RegExp(`:"?${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?![\\w$])`).test(path);
}
