import 'reflect-metadata';
import { RateLimit, SkipRateLimit, type ApiKeyRateLimit } from './rate-limit.decorators.js';
import { classMetadata, methodMetadata } from './rule-storage.js';

describe('rate limit decorators', () => {
  it.each([
    ['RateLimit', RateLimit({ limit: 5, windowMs: 1_000 }), { kind: 'rate-limit', limit: 5, windowMs: 1_000 }],
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
    ['an array', [100, 60_000], '@RateLimit() needs an object'],
    ['no limit', { windowMs: 1_000 }, 'needs a limit that is a whole number from 1 to 10,000'],
    ['a limit of 0', { limit: 0, windowMs: 1_000 }, 'needs a limit'],
    ['a negative limit', { limit: -1, windowMs: 1_000 }, 'needs a limit'],
    ['a fractional limit', { limit: 1.5, windowMs: 1_000 }, 'needs a limit'],
    ['too large a limit', { limit: 10_001, windowMs: 1_000 }, 'needs a limit'],
    ['a limit of NaN', { limit: NaN, windowMs: 1_000 }, 'needs a limit'],
    ['an infinite limit', { limit: Infinity, windowMs: 1_000 }, 'needs a limit'],
    ['a limit in a string', { limit: '5', windowMs: 1_000 }, 'needs a limit'],
    ['a limit that is a function', { limit: () => 5, windowMs: 1_000 }, 'needs a limit'],
    ['no window', { limit: 5 }, 'needs a windowMs that is a whole number of milliseconds from 1,000 to 86,400,000'],
    ['a window under a second', { limit: 5, windowMs: 999 }, 'needs a windowMs'],
    ['a window over a day', { limit: 5, windowMs: 86_400_001 }, 'needs a windowMs'],
    ['a fractional window', { limit: 5, windowMs: 1_000.5 }, 'needs a windowMs'],
    ['an unknown field', { limit: 5, windowMs: 1_000, window: 60 }, 'does not know "window"'],
    ['an option of forRoot', { limit: 5, windowMs: 1_000, headers: 'always' }, 'does not know "headers"'],
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
