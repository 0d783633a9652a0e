import type { ApplicationConfig } from '@nestjs/core';
import { API_KEY_GUARD } from '../guard/api-key.guard.js';
import { ancestorsOf } from '../rules/ancestors.js';
import type { AppRoute } from './app-routes.js';

/** Tells which routes an `ApiKeyGuard` protects. */
export class GuardCoverage {
  /**
   * @param config where Nest keeps the global guards
   * @param countedGuards further guards that count: those of the option `guardedBy`, and what replaces `ApiKeyGuard` in a test
   */
  constructor(
    private readonly config: ApplicationConfig,
    private readonly countedGuards: readonly unknown[],
  ) {}

  /** Whether a guard that counts runs before a route, globally or by `@UseGuards()`. The app may add a global guard until it starts. */
  covers({ guards }: Pick<AppRoute, 'guards'>): boolean {
    const requestGuards = this.config
      .getGlobalRequestGuards()
      .flatMap(({ metatype, inject }) => [metatype, ...(inject ?? [])]);
    return [...this.config.getGlobalGuards(), ...requestGuards, ...guards].some((guard) => this.#counts(guard));
  }

  #counts(guard: unknown): boolean {
    if (guard === null || (typeof guard !== 'function' && typeof guard !== 'object')) return false;
    if (this.countedGuards.includes(guard)) return true;
    const guardClass: unknown = typeof guard === 'function' ? guard : guard.constructor;
    if (typeof guardClass !== 'function') return false;
    return (
      API_KEY_GUARD in guardClass || ancestorsOf(guardClass).some((ancestor) => this.countedGuards.includes(ancestor))
    );
  }
}
