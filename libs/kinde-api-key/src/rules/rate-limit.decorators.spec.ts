import 'reflect-metadata';
import { RateLimit, SkipRateLimit, type ApiKeyRateLimit } from './rate-limit.decorators.js';
import { classMetadata, methodMetadata } from './rule-storage.js';

describe('rate limit decorators', () => {
  it.each([
    ['RateLimit', RateLimit({ limit: 5, windowMs: 1_000 }), { kind: 'rate-limit', limit: 5, windowMs: 1_000 }],
    [
      'RateLimit with a name',
      RateLimit({ limit: 5, windowMs: 1_000, name: 'export' }),
      { kind: 'rate-limit', limit: 5, windowMs: 1_000, name: 'export' },
    ],
    ['SkipRateLimit', SkipRateLimit(), { kind: 'skip-rate-limit' }],
  ])('store the same metadata on a class and on a method: %s', (_name, decorate, metadata) => {
    @decorate
    class OnClass {}
    class OnMethod {
      @decorate
      find(): void {}
    }
    expect(classMetadata(OnClass)).toEqual([metadata]);
    expect(methodMetadata(OnMethod, 'find')).toEqual([metadata]);
  });
});

describe('@RateLimit()', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, '@RateLimit() needs an object'],
    ['null', null, '@RateLimit() needs an object'],
    ['a number', 100, '@RateLimit() needs an object'],
    ['a list', [100, 60_000], '@RateLimit() needs an object'],
    ['no limit', { windowMs: 1_000 }, '@RateLimit({ limit }) is missing: a whole number from 1 to 10000'],
    ['a limit of 0', { limit: 0, windowMs: 1_000 }, '@RateLimit({ limit }) must be a whole number from 1 to 10000'],
    ['a negative limit', { limit: -1, windowMs: 1_000 }, '@RateLimit({ limit })'],
    ['half a request', { limit: 1.5, windowMs: 1_000 }, '@RateLimit({ limit })'],
    ['a limit over 10,000', { limit: 10_001, windowMs: 1_000 }, '@RateLimit({ limit })'],
    ['NaN', { limit: NaN, windowMs: 1_000 }, '@RateLimit({ limit })'],
    ['Infinity', { limit: Infinity, windowMs: 1_000 }, '@RateLimit({ limit })'],
    ['a text', { limit: '5', windowMs: 1_000 }, '@RateLimit({ limit })'],
    ['a function', { limit: () => 5, windowMs: 1_000 }, '@RateLimit({ limit })'],
    ['no window', { limit: 5 }, '@RateLimit({ windowMs }) is missing: a whole number from 1000 to 86400000'],
    ['a window under a second', { limit: 5, windowMs: 999 }, '@RateLimit({ windowMs })'],
    ['a window over a day', { limit: 5, windowMs: 86_400_001 }, '@RateLimit({ windowMs })'],
    ['half a millisecond', { limit: 5, windowMs: 1_000.5 }, '@RateLimit({ windowMs })'],
    [
      'an empty name',
      { limit: 5, windowMs: 1_000, name: '' },
      '@RateLimit({ name }) must be a text of 1 to 100 characters',
    ],
    ['a name of blanks', { limit: 5, windowMs: 1_000, name: ' ' }, '@RateLimit({ name })'],
    ['a name with a line break', { limit: 5, windowMs: 1_000, name: 'a\n' }, '@RateLimit({ name })'],
    ['a name that is not ASCII', { limit: 5, windowMs: 1_000, name: 'größe' }, '@RateLimit({ name })'],
    ['a name of 101 characters', { limit: 5, windowMs: 1_000, name: 'a'.repeat(101) }, '@RateLimit({ name })'],
    ['a symbol', { limit: 5, windowMs: 1_000, name: Symbol('a') }, '@RateLimit({ name })'],
    ['another field', { limit: 5, windowMs: 1_000, window: 60 }, '@RateLimit({ window }) is not an option'],
    [
      'an option of forRoot',
      { limit: 5, windowMs: 1_000, headers: 'always' },
      '@RateLimit({ headers }) is not an option',
    ],
  ])('throws when the class is defined, for %s', (_case, given, message) => {
    const define = () => {
      class Controller {
        @RateLimit(given as ApiKeyRateLimit)
        find(): void {}
      }
      return Controller;
    };
    expect(define).toThrow(TypeError);
    expect(define).toThrow(message);
    expect(define).toThrow('e.g. @RateLimit({ limit: 100, windowMs: 60_000 })');
  });

  it('accepts the smallest and the largest limit and window', () => {
    for (const given of [
      { limit: 1, windowMs: 1_000 },
      { limit: 10_000, windowMs: 86_400_000 },
    ])
      expect(() => RateLimit(given)).not.toThrow();
  });

  it('stores no name that was not given, so that an older copy of the library can read the metadata', () => {
    @RateLimit({ limit: 5, windowMs: 1_000 })
    class Controller {}
    expect(Object.keys(classMetadata(Controller)[0] ?? {})).toEqual(['kind', 'limit', 'windowMs']);
  });

  it.each(['a', 'a b', '~!"\\', 'a'.repeat(100)])('accepts printable ASCII as a name: %j', (name) => {
    expect(() => RateLimit({ limit: 1, windowMs: 1_000, name })).not.toThrow();
  });

  it('keeps its limit when the given object changes, and freezes its metadata', () => {
    const given = { limit: 5, windowMs: 1_000 };
    class Controller {
      @RateLimit(given)
      find(): void {}
    }
    given.limit = 500;
    const [metadata] = methodMetadata(Controller, 'find');
    expect(metadata).toMatchObject({ limit: 5 });
    expect(Object.isFrozen(metadata)).toBe(true);
  });
});
