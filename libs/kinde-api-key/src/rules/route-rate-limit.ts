import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import type { ResolvedRateLimitOptions } from '../config/resolved-rate-limit.js';
import { describeRule, type RateLimitMetadata } from './rule-metadata.js';

/** What the nearest decorators about rate limits say, at both levels. */
interface RateLimitLevels {
  readonly ofMethod: readonly RateLimitMetadata[];
  readonly ofClass: readonly RateLimitMetadata[];
}

/** What stands for the whole API in the names of buckets, which no class has for a name. */
const WHOLE_API = '*';

/**
 * The limit of a route: the method's, else the class's, else the option's. A decorator's has a scope of its own, so that a class and a method
 * that carry the same limit have a budget each.
 *
 * @param className of the class that Nest serves, unlike every other's
 * @param methodName as the class has it
 */
export function compileRateLimit(
  { ofMethod, ofClass }: RateLimitLevels,
  { className, methodName }: { readonly className: string; readonly methodName: string },
  option: ResolvedRateLimitOptions | null,
): RateLimitRule | null {
  const sendsHeadersOnSuccess = option?.headers === 'always';
  const part = ofMethod[0] ?? ofClass[0];
  if (!part)
    return (
      option && {
        scope: WHOLE_API,
        policy: 'default',
        limit: option.limit,
        windowMs: option.windowMs,
        sendsHeadersOnSuccess,
      }
    );
  if (part.kind === 'skip-rate-limit') return null;
  const scope = [className, ...(ofMethod[0] ? [methodName] : [])].map(inAscii).join('.');
  return { scope, policy: scope, limit: part.limit, windowMs: part.windowMs, sendsHeadersOnSuccess };
}

/**
 * @param publicBy where the `@PublicRoute()` stands that the route goes by, or `null` for a route that is not public
 * @returns what is wrong with the decorators: two that contradict each other, or one that pretends to limit a public route
 */
export function findRateLimitProblems(
  { ofMethod, ofClass }: RateLimitLevels,
  publicBy: 'method' | 'class' | null,
): readonly string[] {
  const conflicts = ([ofMethod, ofClass] as const).flatMap((parts, index) =>
    parts.length > 1
      ? [
          `carries ${parts.map(describeRule).join(' and ')} on one ${index === 0 ? 'method' : 'class'}: keep one of them`,
        ]
      : [],
  );
  // Public on a method beats its class, in this as in everything.
  const classCounts = publicBy === 'class' && ofMethod.length === 0;
  const pretender = publicBy && (classCounts ? ofClass : ofMethod).find(isLimit);
  if (!pretender) return conflicts;
  return [
    ...conflicts,
    `carries ${describeRule(pretender)} but is public: limits go by the key, and a public route looks at none; remove one of the two, or add ` +
      '@SkipRateLimit() to the method',
  ];
}

function isLimit({ kind }: RateLimitMetadata): boolean {
  return kind === 'rate-limit';
}

/** Printable ASCII without blanks, quotes and backslashes, a text of its own for every name. */
function inAscii(name: string): string {
  return encodeURIComponent(name);
}

/** Gives every class a name of its own: two classes may well be called the same. */
export class ClassNames {
  readonly #names = new WeakMap<object, string>();
  readonly #used = new Map<string, number>();

  /** @returns the class's name; a number is added for the second class of that name and those after it, in the order of the modules */
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
