import { API_KEY_GUARD } from '../guard/api-key.guard.js';
import { ancestorsOf, type AnyFunction } from '../handlers/ancestors.js';
import type { AppHandler } from '../handlers/app-handlers.js';

/** Tells which handlers an `ApiKeyGuard` protects. */
export class GuardCoverage {
  /** @param countedGuards further guards that count: those of the option `guardedBy`, and what replaces `ApiKeyGuard` in a test */
  constructor(private readonly countedGuards: readonly unknown[]) {}

  /** Whether a guard that counts runs before a handler. */
  covers({ guards }: Pick<AppHandler, 'guards'>): boolean {
    return guards.some((guard) => this.#counts(guard));
  }

  #counts(guard: unknown): boolean {
    if (guard === null || (typeof guard !== 'function' && typeof guard !== 'object')) return false;
    if (this.countedGuards.includes(guard)) return true;
    const guardClass: unknown = typeof guard === 'function' ? guard : guard.constructor;
    if (typeof guardClass !== 'function') return false;
    return isOurs(guardClass) || ancestorsOf(guardClass).some((ancestor) => this.countedGuards.includes(ancestor));
  }
}

/** A guard of another copy counts. One of a version with another marker does not: it may not understand this registration. */
function isOurs(guardClass: AnyFunction): boolean {
  return (guardClass as { [API_KEY_GUARD]?: unknown })[API_KEY_GUARD] === true;
}
