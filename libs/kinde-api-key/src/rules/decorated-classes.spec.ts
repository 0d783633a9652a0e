import 'reflect-metadata';
import type { AnyFunction } from '../handlers/ancestors.js';
import { decoratedClasses, noteDecorated } from './decorated-classes.js';

const { classesOf, prototypesOf } = decoratedClasses;

/** Decorates a property of a prototype, as a decorator of any library does. */
function decorate(prototype: object, name: string): void {
  Reflect.defineMetadata('any', 'metadata', prototype, name);
}

function methodOf(prototype: object, name: string): AnyFunction {
  return Object.getOwnPropertyDescriptor(prototype, name)?.value as AnyFunction;
}

class Users {
  find(): void {}
  list(): void {}
}
decorate(Users.prototype, 'find');

describe('decoratedClasses.classesOf()', () => {
  it('is empty for a prototype of no noted class', () => {
    class Other {}
    noteDecorated(Users);
    expect(classesOf(Other.prototype)).toEqual([]);
    expect(classesOf({})).toEqual([]);
  });

  it('finds a class that its prototype no longer names', () => {
    class Renamed {}
    noteDecorated(Renamed);
    Object.defineProperty(Renamed.prototype, 'constructor', { value: Users });
    expect(classesOf(Renamed.prototype)).toEqual([Renamed]);
  });

  it('finds each class once, however many decorators noted it', () => {
    class Twice {}
    for (const _decorator of [1, 2]) noteDecorated(Twice);
    expect(classesOf(Twice.prototype)).toEqual([Twice]);
  });

  it('finds every class that shares a prototype, in the order of their decorators', () => {
    class Original {}
    const Replacement = function Replacement(): void {};
    Replacement.prototype = Original.prototype;
    noteDecorated(Original);
    noteDecorated(Replacement);
    expect(classesOf(Original.prototype)).toEqual([Original, Replacement]);
  });

  it('finds a class that was noted after an earlier question', () => {
    class Late {}
    expect(classesOf(Late.prototype)).toEqual([]);
    noteDecorated(Late);
    expect(classesOf(Late.prototype)).toEqual([Late]);
  });

  it('does not count a noted prototype as a class', () => {
    class OfMethods {
      find(): void {}
    }
    noteDecorated(OfMethods.prototype);
    expect(classesOf(OfMethods.prototype)).toEqual([]);
  });

  it('ignores functions without a prototype, or with one that is not an object', () => {
    const arrow = (): void => {};
    const withNull = function withNull(): void {};
    withNull.prototype = null;
    const withText = function withText(): void {};
    withText.prototype = 'text';
    for (const odd of [arrow, withNull, withText]) noteDecorated(odd);
    class AfterThem {}
    noteDecorated(AfterThem);
    expect(classesOf(AfterThem.prototype)).toEqual([AfterThem]);
  });

  it('is built once, until another class is noted', () => {
    class Kept {}
    noteDecorated(Kept);
    const found = classesOf(Kept.prototype);
    expect(classesOf(Kept.prototype)).toBe(found);
    noteDecorated(class {});
    expect(classesOf(Kept.prototype)).not.toBe(found);
  });
});

describe('decoratedClasses.prototypesOf()', () => {
  it('finds the prototype on which a method was decorated, noted by its class or by a method', () => {
    class ByMethod {
      find(): void {}
    }
    decorate(ByMethod.prototype, 'find');
    noteDecorated(ByMethod.prototype);
    noteDecorated(Users);
    expect(prototypesOf(methodOf(ByMethod.prototype, 'find'))).toEqual([ByMethod.prototype]);
    expect(prototypesOf(methodOf(Users.prototype, 'find'))).toEqual([Users.prototype]);
  });

  it('finds a prototype once that its class and its methods noted', () => {
    class Both {
      find(): void {}
    }
    decorate(Both.prototype, 'find');
    noteDecorated(Both.prototype);
    noteDecorated(Both);
    expect(prototypesOf(methodOf(Both.prototype, 'find'))).toEqual([Both.prototype]);
  });

  it('is empty for a method without a decorator, and for an unknown function', () => {
    noteDecorated(Users);
    expect(prototypesOf(methodOf(Users.prototype, 'list'))).toEqual([]);
    expect(prototypesOf(() => undefined)).toEqual([]);
  });

  it('finds every prototype on which one function was decorated, and none to which a mixin copied it', () => {
    const shared = (): void => {};
    const [first, second, copy] = [{ find: shared }, { list: shared }, { find: shared }];
    decorate(first, 'find');
    decorate(second, 'list');
    for (const prototype of [first, second, copy]) noteDecorated(prototype);
    const found = prototypesOf(shared);
    expect(found).toHaveLength(2);
    expect(found[0]).toBe(first);
    expect(found[1]).toBe(second);
  });

  it('does not take a class for a method of its prototype', () => {
    class Odd {}
    decorate(Odd.prototype, 'constructor');
    noteDecorated(Odd);
    expect(prototypesOf(Odd)).toEqual([]);
  });

  it('ignores decorated fields and accessors', () => {
    const prototype = {
      find: (): void => {},
      field: 'text',
      get accessor(): string {
        throw new Error('no accessor may run');
      },
    };
    for (const name of Object.keys(prototype)) decorate(prototype, name);
    noteDecorated(prototype);
    expect(prototypesOf(prototype.find)).toEqual([prototype]);
    expect(prototypesOf('text' as never)).toEqual([]);
  });
});

describe('the list of decorated classes', () => {
  const LIST = Symbol.for('nestjs-kinde-api-key:decorated-classes');

  function loadCopy(): typeof import('./decorated-classes.js') {
    let copy: typeof import('./decorated-classes.js') | undefined;
    jest.isolateModules(() => (copy = require('./decorated-classes.js') as typeof copy));
    if (!copy) throw new Error('the copy was not loaded');
    return copy;
  }

  it('is the same for every copy of the library in a process', () => {
    const copy = loadCopy();
    class OfCopy {}
    copy.noteDecorated(OfCopy);
    expect(classesOf(OfCopy.prototype)).toEqual([OfCopy]);
    expect(Reflect.get(globalThis, LIST)).toBeInstanceOf(Set);
  });

  it('holds weak references, and drops that of a class that was garbage-collected', () => {
    const original = globalThis.FinalizationRegistry;
    let collect: ((reference: unknown) => void) | undefined;
    const registered: unknown[] = [];
    class FakeRegistry {
      constructor(callback: (reference: unknown) => void) {
        collect = callback;
      }
      register(_target: object, reference: unknown): void {
        registered.push(reference);
      }
    }
    globalThis.FinalizationRegistry = FakeRegistry as unknown as typeof original;
    try {
      const list = Reflect.get(globalThis, LIST) as Set<WeakRef<object>>;
      loadCopy().noteDecorated(class {});
      const [reference] = registered;
      expect(reference).toBeInstanceOf(WeakRef);
      expect(list.has(reference as WeakRef<object>)).toBe(true);
      collect?.(reference);
      expect(list.has(reference as WeakRef<object>)).toBe(false);
    } finally {
      globalThis.FinalizationRegistry = original;
    }
  });
});
