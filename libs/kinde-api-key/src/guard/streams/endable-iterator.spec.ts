import { endableIterator, isAsyncIterable } from './endable-iterator.js';

/** A source that never has an event unless it is given one. */
function newSource() {
  const source = {
    next: jest.fn(() => new Promise<IteratorResult<unknown>>(() => undefined)),
    return: jest.fn(() => new Promise<IteratorResult<unknown>>(() => undefined)),
    [Symbol.asyncIterator]: () => source,
  };
  return source;
}

function endable(events: AsyncIterable<unknown>) {
  const close = jest.fn();
  let end = (): void => undefined;
  const iterator = endableIterator(events, (ending) => {
    end = ending;
    return close;
  });
  return { iterator, close, end: () => end() };
}

describe('the iterator of a subscription', () => {
  it('gives the events of its source and closes with it', async () => {
    async function* numbers() {
      yield 1;
      yield 2;
    }
    const { iterator, close } = endable(numbers());
    const found: unknown[] = [];
    for await (const number of iterator) found.push(number);
    expect(found).toEqual([1, 2]);
    expect(close).toHaveBeenCalled();
  });

  it('ends for a consumer that waits, although its source does not answer', async () => {
    const source = newSource();
    const { iterator, end, close } = endable(source);
    const next = iterator.next();
    end();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect([source.next, source.return, close].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
  });

  it('ends also when its source cannot be returned', async () => {
    const source = newSource();
    source.return.mockRejectedValueOnce(new Error('not now'));
    const { iterator, end } = endable(source);
    end();
    expect((await iterator.next()).done).toBe(true);
  });

  it('closes when its consumer returns, and returns its source', async () => {
    const source = newSource();
    source.return.mockResolvedValueOnce({ done: true, value: 'returned' });
    const { iterator, close } = endable(source);
    expect(await iterator.return?.()).toEqual({ done: true, value: 'returned' });
    expect(close).toHaveBeenCalled();
  });

  it('fails as its source fails, and closes', async () => {
    const source = newSource();
    source.next.mockRejectedValueOnce(new Error('the source failed'));
    const { iterator, close } = endable(source);
    await expect(iterator.next()).rejects.toThrow('the source failed');
    expect(close).toHaveBeenCalled();
    await expect(iterator.throw?.(new Error('given up'))).rejects.toThrow('given up');
  });

  it('is made of what can be iterated over, and of nothing else', () => {
    expect([newSource(), null, undefined, 'text', []].map(isAsyncIterable)).toEqual([true, false, false, false, false]);
  });
});
