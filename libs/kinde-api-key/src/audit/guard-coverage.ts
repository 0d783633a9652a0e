import type { ApplicationConfig } from '@nestjs/core';
import { API_KEY_GUARD } from '../guard/api-key.guard.js';
import type { AppRoute } from './app-routes.js';

/** Tells whether an `ApiKeyGuard` stands before a route. */
export class GuardCoverage {
  readonly #known: ReadonlySet<unknown>;
  readonly #isGlobal: boolean;

  /**
   * @param config where Nest keeps the global guards
   * @param known further guards that count: those of the option `guardedBy`, and whatever stands in for `ApiKeyGuard` in a test
   */
  constructor(config: ApplicationConfig, known: readonly unknown[]) {
    this.#known = new Set(known);
    this.#isGlobal =
      config.getGlobalGuards().some((guard) => this.#counts(guard)) ||
      config
        .getGlobalRequestGuards()
        .some(({ metatype, inject }) => [metatype, ...(inject ?? [])].some((guard) => this.#counts(guard)));
  }

  reaches({ guards }: Pick<AppRoute, 'guards'>): boolean {
    return this.#isGlobal || guards.some((guard) => this.#counts(guard));
  }

  #counts(guard: unknown): boolean {
    if (guard === null || (typeof guard !== 'function' && typeof guard !== 'object')) return false;
    if (this.#known.has(guard)) return true;
    const guardClass: unknown = typeof guard === 'function' ? guard : guard.constructor;
    for (let current: unknown = guardClass; typeof current === 'function'; current = Object.getPrototypeOf(current)) {
      if (API_KEY_GUARD in current || this.#known.has(current)) return true;
    }
    return false;
  }
}
