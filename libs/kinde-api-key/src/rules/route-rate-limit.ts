import type { ResolvedRateLimitOptions } from '../config/resolved-rate-limit.js';
import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import type { HandlerMetadata } from './rule-metadata.js';

/** Scope of the API-wide limit. Not a valid class name, so it cannot collide. */
const WHOLE_API = '*';

/**
 * Returns the limit of a route: the method's, else the class's, else the option's. Each decorator's limit has a scope of its own, so a
 * class and a method with equal limits have separate budgets.
 *
 * @param className of the class that Nest serves, unique in the app
 * @param methodName as the class has it
 */
export function compileRateLimit(
  { ofMethod, ofClass }: HandlerMetadata,
  { className, methodName }: { readonly className: string; readonly methodName: string },
  option: ResolvedRateLimitOptions | null,
): RateLimitRule | null {
  const [onMethod] = ofMethod.rateLimits;
  const nearest = onMethod ?? ofClass.rateLimits[0];
  if (nearest?.kind === 'skip-rate-limit') return null;
  const limited = nearest ?? option;
  if (!limited) return null;
  // Encoded, because the scope is also the policy's name in a header: ASCII without blanks, quotes and backslashes.
  const ownScope = (onMethod ? [className, methodName] : [className]).map(encodeURIComponent).join('.');
  return {
    scope: nearest ? ownScope : WHOLE_API,
    policy: nearest ? ownScope : 'default',
    limit: limited.limit,
    windowMs: limited.windowMs,
    sendsHeadersOnSuccess: option?.headers === 'always',
  };
}

/** Gives every class a unique name: two classes of an app may have the same one. */
export class ClassNames {
  readonly #names = new WeakMap<object, string>();
  readonly #used = new Map<string, number>();

  /** Returns the name of a class, with a number added for the second class of that name and later ones. */
  nameOf(controller: { readonly name: string }): string {
    const known = this.#names.get(controller);
    if (known !== undefined) return known;
    const count = (this.#used.get(controller.name) ?? 0) + 1;
    this.#used.set(controller.name, count);
    const name = count === 1 ? controller.name : `${controller.name}~${count}`;
    this.#names.set(controller, name);
    return name;
  }
}
