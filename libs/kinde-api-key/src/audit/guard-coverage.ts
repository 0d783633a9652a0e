import type { ApplicationConfig } from '@nestjs/core';
import { API_KEY_GUARD } from '../guard/api-key.guard.js';
import { ancestorsOf } from '../rules/ancestors.js';
import type { AppRoute } from './app-routes.js';

/** Tells which routes an `ApiKeyGuard` protects. */
export class GuardCoverage {
  readonly #countedGuards: ReadonlySet<unknown>;
  readonly #coversAll: boolean;

  /**
   * @param config where Nest keeps the global guards
   * @param countedGuards further guards that count: those of the option `guardedBy`, and what replaces `ApiKeyGuard` in a test
   */
  constructor(config: ApplicationConfig, countedGuards: readonly unknown[]) {
    this.#countedGuards = new Set(countedGuards);
    this.#coversAll =
      config.getGlobalGuards().some((guard) => this.#counts(guard)) ||
      config
        .getGlobalRequestGuards()
        .some(({ metatype, inject }) => [metatype, ...(inject ?? [])].some((guard) => this.#counts(guard)));
  }

  /** Whether a guard that counts runs before a route, globally or by `@UseGuards()`. */
  covers({ guards }: Pick<AppRoute, 'guards'>): boolean {
    return this.#coversAll || guards.some((guard) => this.#counts(guard));
  }

  #counts(guard: unknown): boolean {
    if (guard === null || (typeof guard !== 'function' && typeof guard !== 'object')) return false;
    if (this.#countedGuards.has(guard)) return true;
    const guardClass: unknown = typeof guard === 'function' ? guard : guard.constructor;
    if (typeof guardClass !== 'function') return false;
    return API_KEY_GUARD in guardClass || ancestorsOf(guardClass).some((ancestor) => this.#countedGuards.has(ancestor));
  }
}
