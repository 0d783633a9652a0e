import type { CanActivate } from '@nestjs/common';
import { API_KEY_GUARD, ApiKeyGuard } from '../guard/api-key.guard.js';
import { GuardCoverage } from './guard-coverage.js';

class Other implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}
class Counted extends Other {}
class OfCounted extends Counted {}
class OfOurs extends ApiKeyGuard {}
const INSTANCE = new Other();

const instanceOf = (guardClass: { readonly prototype: object }): object =>
  Object.create(guardClass.prototype) as object;
const counts = (guard: unknown): boolean => new GuardCoverage([Counted, INSTANCE]).covers({ guards: [guard] });

describe('GuardCoverage.covers()', () => {
  it('is true for ApiKeyGuard and its subclasses, as a class and as an instance', () => {
    for (const guard of [ApiKeyGuard, OfOurs]) {
      expect(counts(guard)).toBe(true);
      expect(counts(instanceOf(guard))).toBe(true);
    }
  });

  it('is true for the guard of another copy of the library', () => {
    class OfOtherCopy extends Other {}
    Object.assign(OfOtherCopy, { [Symbol.for('nestjs-kinde-api-key:guard')]: true });
    expect(counts(OfOtherCopy)).toBe(true);
    expect(counts(new OfOtherCopy())).toBe(true);
  });

  it('is false for a marker of another version, which may not understand this registration', () => {
    class OfOtherVersion extends Other {
      static readonly [API_KEY_GUARD] = 'v9';
    }
    expect(counts(OfOtherVersion)).toBe(false);
    expect(counts(new OfOtherVersion())).toBe(false);
  });

  it('is true for a counted class, its subclasses and instances of both', () => {
    for (const guard of [Counted, OfCounted, new Counted(), new OfCounted()]) expect(counts(guard)).toBe(true);
  });

  it('is true for a counted instance, and false for another of its class', () => {
    expect(counts(INSTANCE)).toBe(true);
    expect(counts(new Other())).toBe(false);
    expect(counts(Other)).toBe(false);
  });

  it('is true if one guard of several counts, and false without a guard', () => {
    const coverage = new GuardCoverage([]);
    expect(coverage.covers({ guards: [Other, ApiKeyGuard] })).toBe(true);
    expect(coverage.covers({ guards: [Other, new Other()] })).toBe(false);
    expect(coverage.covers({ guards: [] })).toBe(false);
  });

  it.each([[null], [undefined], ['ApiKeyGuard'], [7], [Object.create(null)], [{ constructor: 'ApiKeyGuard' }]])(
    'is false for what is not a guard: %p',
    (guard) => {
      expect(counts(guard)).toBe(false);
      expect(new GuardCoverage([undefined, null]).covers({ guards: [guard] })).toBe(false);
    },
  );
});
