/**
 * Continues at once with a value that is there, and later with one that is promised: a request does not wait for nothing.
 *
 * @param value passed on as it is. What the app returns belongs in an object: a query builder is a thenable, and would run
 * @param proceed the next step
 */
export function andThen<In, Out>(
  value: In | PromiseLike<In>,
  proceed: (value: In) => Out | Promise<Out>,
): Out | Promise<Out> {
  // By its shape: promises of other realms and libraries are not instances of `Promise`.
  const isPromise = typeof (value as PromiseLike<In> | null | undefined)?.then === 'function';
  return isPromise ? Promise.resolve(value).then(proceed) : proceed(value as In);
}
