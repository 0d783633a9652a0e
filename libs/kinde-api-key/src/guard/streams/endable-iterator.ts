type Waiting = () => void;

/** Whether a subscription's resolver returned what GraphQL iterates over. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof (value as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] === 'function';
}

/**
 * Returns the same events, in a form that can be ended from outside: the source is returned, and a consumer that waits for an event is told that
 * there are no more.
 *
 * @param open begins to watch; it gets what ends the iterator, and returns what stops watching
 */
export function endableIterator(
  events: AsyncIterable<unknown>,
  open: (end: () => void) => () => void,
): AsyncIterableIterator<unknown> {
  const source = events[Symbol.asyncIterator]();
  const waiting = new Set<Waiting>();
  let isEnded = false;
  const finish = (): void => {
    isEnded = true;
    close();
    for (const stop of waiting) stop();
    waiting.clear();
  };
  const close = open(() => {
    finish();
    // Not awaited: a generator that waits for its next event returns after that event only.
    Promise.resolve()
      .then(() => source.return?.())
      .catch(() => undefined);
  });
  return {
    next: () => {
      if (isEnded) return Promise.resolve(done());
      return new Promise((resolve, reject) => {
        const stop = (): void => resolve(done());
        waiting.add(stop);
        Promise.resolve(source.next()).then(
          (result) => {
            waiting.delete(stop);
            if (result.done) finish();
            resolve(result);
          },
          (error: unknown) => {
            waiting.delete(stop);
            finish();
            reject(error);
          },
        );
      });
    },
    return: async () => {
      // Mercurius returns what has ended, too.
      if (isEnded) return done();
      finish();
      return (await source.return?.()) ?? done();
    },
    throw: async (error) => {
      finish();
      if (!source.throw) throw error;
      return source.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function done(): IteratorReturnResult<undefined> {
  return { done: true, value: undefined };
}
