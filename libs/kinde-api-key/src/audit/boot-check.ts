import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';
import type { Registration } from '../guard/registration.js';
import { KINDE_API_KEY_REGISTRATION } from '../guard/registration.js';
import { findAllProviders, findVisibleProvider, type NestModule } from '../rules/provider-lookup.js';
import { describeRule, isRateLimitMetadata, type RuleMetadata } from '../rules/rule-metadata.js';
import { classParts, methodParts } from '../rules/rule-storage.js';
import { otherMethodsOf, providerClassesOf, routesOf, type AppRoute } from './app-routes.js';
import { GuardCoverage } from './guard-coverage.js';

/** What the boot check goes by. */
export interface BootCheckOptions {
  /** Every handler needs a decision, because the guard stands before all of them. */
  readonly isStrict: boolean;
  readonly orgParam: string;
  /** See `GuardCoverage`. */
  readonly countedGuards: readonly unknown[];
}

/** What was found, for the one line that is logged. */
export interface BootReport {
  /** Routes that demand a key. */
  readonly guarded: number;
  /** Routes that were declared public. */
  readonly public: number;
  /** What does not stop the boot and is hardly meant. */
  readonly warnings: readonly string[];
}

/** Looks at every route of a registration before the first request: a decorator never pretends. */
export class BootCheck {
  readonly #problems: string[] = [];
  readonly #reach: GuardCoverage;

  constructor(
    private readonly registration: Registration,
    private readonly options: BootCheckOptions,
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    this.#reach = new GuardCoverage(config, options.countedGuards);
  }

  /**
   * @returns what was found
   * @throws {KindeApiKeyConfigurationError} INVALID_CONFIGURATION with every problem at once, each naming the route and the cure
   */
  run(): BootReport {
    this.#checkRegistrations();
    const report = { guarded: 0, public: 0 };
    for (const module of this.modules.values()) {
      if (this.#ownerOf(module) !== this.registration.id) continue;
      for (const route of routesOf(module, this.modules, this.config)) this.#checkRoute(route, report);
      this.#checkProviders(module);
      this.#checkOtherMethods(module);
    }
    if (this.#problems.length > 0) {
      throw new KindeApiKeyConfigurationError('The rules on these handlers cannot be kept:', [
        ...new Set(this.#problems),
      ]);
    }
    return { ...report, warnings: this.#twinWarnings() };
  }

  /** Said by the later one of two registrations that ask the same Kinde the same thing. */
  #twinWarnings(): string[] {
    const registrations = findAllProviders(this.modules.values(), KINDE_API_KEY_REGISTRATION).map(
      ({ wrapper }) => wrapper.instance as Registration,
    );
    const first = registrations.find(({ kinde }) => kinde === this.registration.kinde);
    if (first === this.registration) return [];
    return [
      `a second registration asks ${this.registration.kinde}: it has a cache and an M2M token of its own, and invalidate() reaches only one of ` +
        'them. Import one KindeApiKeyModule.forRoot() in the root module instead',
    ];
  }

  #checkRegistrations(): void {
    const registrations = findAllProviders(this.modules.values(), KINDE_API_KEY_REGISTRATION);
    if (registrations.filter(({ host }) => host.isGlobal).length > 1) {
      throw new KindeApiKeyConfigurationError('KindeApiKeyModule is registered more than once:', [
        'two global registrations: the order of imports would decide which one protects a route. Import KindeApiKeyModule.forRoot() once, ' +
          'in the root module; for a second Kinde domain pass isGlobal: false and import it in the feature modules that use it',
      ]);
    }
  }

  /** The registration that a module's guards are given: each route is checked by one. */
  #ownerOf(module: NestModule): symbol | undefined {
    const found =
      findVisibleProvider(module, KINDE_API_KEY_REGISTRATION) ??
      findAllProviders(this.modules.values(), KINDE_API_KEY_REGISTRATION)[0];
    return (found?.wrapper.instance as Registration | undefined)?.id;
  }

  #checkRoute(route: AppRoute, report: { guarded: number; public: number }): void {
    const place = `${route.controller.name}.${route.name}`;
    const { rule, problems } = this.registration.rules.add(route.controller, route.name, route.handler);
    this.#problems.push(...problems.map((problem) => `${place} ${problem}`));
    const isReached = this.#reach.reaches(route);
    if (rule.isPublic) {
      report.public += 1;
      return;
    }
    const parts = [...classParts(route.controller), ...methodParts(route.controller, route.name, route.handler)];
    if (!isReached && (rule.isDecided || parts.some(isRateLimitMetadata))) {
      const carried = [...new Set(parts.map(describeRule))].join(' ');
      this.#problems.push(
        `${place} carries ${carried} but no ApiKeyGuard reaches it: add @UseGuards(ApiKeyGuard) to the class or the ` +
          'method, set globalGuard: true, or name your own guard that calls ApiKeyGuard in the option guardedBy',
      );
    }
    if (isReached) report.guarded += 1;
    if (this.options.isStrict && !rule.isDecided) {
      this.#problems.push(
        `${place} has no decision, which globalGuard demands of every handler: add @RequireScopes(), @AnyValidKey() or another rule, ` +
          '@PublicRoute(), or name a controller that you cannot edit in globalGuard: { publicControllers: [...] }',
      );
    }
    this.#checkParameters(route, place);
  }

  /** A rule that compares a route parameter which the route does not have would refuse every request. */
  #checkParameters(route: AppRoute, place: string): void {
    for (const part of [...classParts(route.controller), ...methodParts(route.controller, route.name, route.handler)]) {
      if (part.kind !== 'organization') continue;
      const target = part.target ?? { param: this.options.orgParam };
      if (!('param' in target) || route.paths.some((path) => hasParameter(path, target.param))) continue;
      this.#problems.push(
        `${place} carries @OrgScoped() for the route parameter "${target.param}", which is in none of its paths: add :${target.param} to the path, ` +
          "or say where the organization stands, e.g. @OrgScoped({ param: 'id' }) or @OrgScoped({ resolve: MyOrgResolver })",
      );
    }
  }

  #checkProviders(module: NestModule): void {
    for (const owner of providerClassesOf(module, this.modules)) this.#checkUnenforced(owner.name, classParts(owner));
  }

  #checkOtherMethods(module: NestModule): void {
    for (const { owner, name, isHandler } of otherMethodsOf(module)) {
      this.#checkUnenforced(`${owner.name}.${name}`, [
        ...methodParts(owner, name),
        ...(isHandler ? classParts(owner) : []),
      ]);
    }
  }

  #checkUnenforced(place: string, [part]: readonly RuleMetadata[]): void {
    if (!part) return;
    this.#problems.push(
      `${place} carries ${describeRule(part)} but is no HTTP route, so nothing enforces it: remove the decorator, ` +
        'or call ApiKeyVerificationService where the key arrives',
    );
  }
}

function hasParameter(path: string, name: string): boolean {
  return new RegExp(`:"?${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?![\\w$])`).test(path);
}
