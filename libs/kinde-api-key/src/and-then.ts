/**
 * Continues at once with a value that is there, and later with one that is promised: a request does not wait for nothing.
 *
 * @param value handed on as it is; wrap what the app returns in an object, because a query builder is a thenable and would run
 * @param proceed the next step
 */
export function andThen<In, Out>(
  value: In | PromiseLike<In>,
  proceed: (value: In) => Out | Promise<Out>,
): Out | Promise<Out> {
  return isPromiseLike(value) ? Promise.resolve(value).then(proceed) : proceed(value);
}

/** Whether a value is a promise, judged by its shape: promises of other realms and libraries are not instances of `Promise`. */
export function isPromiseLike<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === 'function';
}
