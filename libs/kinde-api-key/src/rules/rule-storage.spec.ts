import 'reflect-metadata';
import type { RuleMetadata } from './rule-metadata.js';
import { classMetadata, handlerMetadata, methodMetadata, ruleDecorator } from './rule-storage.js';

/** A decorator whose metadata is recognized by its scope. */
function mark(name: string): ClassDecorator & MethodDecorator {
  return ruleDecorator({ kind: 'scopes', scopes: [name] });
}

function names(metadata: readonly RuleMetadata[]): string[] {
  return metadata.map((one) => (one.kind === 'scopes' ? one.scopes.join() : one.kind));
}

type Method = (...args: unknown[]) => unknown;

/** What a logging or transaction decorator does: it replaces the method by a new function. */
function Wrap({ copiesMetadata = false } = {}): MethodDecorator {
  return (_target, _property, descriptor): void => {
    const holder = descriptor as unknown as { value: Method };
    const original = holder.value;
    function wrapper(this: unknown, ...args: unknown[]): unknown {
      return original.apply(this, args);
    }
    if (copiesMetadata) {
      for (const key of Reflect.getMetadataKeys(original)) {
        Reflect.defineMetadata(key, Reflect.getMetadata(key, original), wrapper);
      }
    }
    holder.value = wrapper;
  };
}

function handlerOf(owner: { prototype: object }, name: string): Method {
  return (owner.prototype as Record<string, Method>)[name] as Method;
}

describe('the metadata of a method', () => {
  it('is listed from top to bottom, as written', () => {
    class Controller {
      @mark('top')
      @mark('middle')
      @mark('bottom')
      find(): void {}
    }
    expect(names(methodMetadata(Controller, 'find'))).toEqual(['top', 'middle', 'bottom']);
    expect(names(methodMetadata(Controller, 'find', handlerOf(Controller, 'find')))).toEqual([
      'top',
      'middle',
      'bottom',
    ]);
  });

  it.each([false, true])('survives a wrapping decorator above (copying metadata: %s)', (copiesMetadata) => {
    class Controller {
      @Wrap({ copiesMetadata })
      @mark('a')
      find(): void {}
    }
    expect(names(methodMetadata(Controller, 'find', handlerOf(Controller, 'find')))).toEqual(['a']);
  });

  it.each([false, true])('survives a wrapping decorator below (copying metadata: %s)', (copiesMetadata) => {
    class Controller {
      @mark('a')
      @Wrap({ copiesMetadata })
      find(): void {}
    }
    expect(names(methodMetadata(Controller, 'find', handlerOf(Controller, 'find')))).toEqual(['a']);
  });

  it.each([false, true])(
    'survives wrapping decorators in between, without duplicates (copying metadata: %s)',
    (copiesMetadata) => {
      class Controller {
        @Wrap({ copiesMetadata })
        @mark('a')
        @Wrap({ copiesMetadata })
        @mark('b')
        @Wrap({ copiesMetadata })
        find(): void {}
      }
      const found = names(methodMetadata(Controller, 'find', handlerOf(Controller, 'find')));
      expect(found.toSorted()).toEqual(['a', 'b']);
    },
  );

  it('is found on the function alone', () => {
    class Controller {
      @mark('a')
      find(): void {}
    }
    class Elsewhere {}
    const handler = handlerOf(Controller, 'find');
    expect(names(methodMetadata(Elsewhere, 'another', handler))).toEqual(['a']);
  });

  it('survives the deletion of the method from the prototype', () => {
    class Controller {
      @mark('a')
      find?(): void {}
    }
    delete Controller.prototype.find;
    expect(names(methodMetadata(Controller, 'find'))).toEqual(['a']);
  });

  it('includes @PublicRoute(), of an overridden method, too', () => {
    class Base {
      @ruleDecorator({ kind: 'public' })
      find(): void {}
    }
    class Sub extends Base {
      override find(): void {}
    }
    expect(names(methodMetadata(Base, 'find'))).toEqual(['public']);
    expect(names(methodMetadata(Sub, 'find'))).toEqual(['public']);
  });

  it('does not apply to another method', () => {
    class Controller {
      @mark('a')
      find(): void {}
      list(): void {}
    }
    expect(methodMetadata(Controller, 'list')).toEqual([]);
    expect(methodMetadata(Controller, 'constructor')).toEqual([]);
    expect(methodMetadata(Controller, 'toString')).toEqual([]);
    expect(methodMetadata(Controller, '__proto__')).toEqual([]);
  });
});

describe('the metadata of an override', () => {
  class Base {
    @mark('base')
    find(): void {}
  }

  it('includes that of the overridden method, without decorators of its own', () => {
    class Sub extends Base {
      override find(): void {}
    }
    expect(names(methodMetadata(Sub, 'find', handlerOf(Sub, 'find')))).toEqual(['base']);
  });

  it('lists its own after that of the overridden method', () => {
    class Sub extends Base {
      @mark('sub')
      override find(): void {}
    }
    expect(names(methodMetadata(Sub, 'find'))).toEqual(['base', 'sub']);
  });

  it('applies neither to the overridden method nor to siblings', () => {
    class Sub extends Base {
      @mark('sub')
      override find(): void {}
    }
    class Sibling extends Base {}
    expect(names(methodMetadata(Sub, 'find'))).toContain('sub');
    expect(names(methodMetadata(Base, 'find'))).toEqual(['base']);
    expect(names(methodMetadata(Sibling, 'find'))).toEqual(['base']);
  });

  it('includes that of a method that an intermediate class does not mention', () => {
    class Middle extends Base {}
    class Sub extends Middle {
      @mark('sub')
      override find(): void {}
    }
    expect(names(methodMetadata(Sub, 'find'))).toEqual(['base', 'sub']);
  });

  it('includes that of each mixin', () => {
    function WithFind(Parent: new () => object, name: string): new () => { find(): void } {
      class Mixed extends Parent {
        @mark(name)
        find(): void {}
      }
      return Mixed;
    }
    class Sub extends WithFind(WithFind(Object, 'inner'), 'outer') {
      @mark('own')
      override find(): void {}
    }
    expect(names(methodMetadata(Sub, 'find'))).toEqual(['inner', 'outer', 'own']);
  });

  it('includes that of a function that was copied to the prototype of its parent', () => {
    class Parent {
      find(): void {}
    }
    Object.defineProperty(Parent.prototype, 'find', { value: handlerOf(Base, 'find') });
    class Sub extends Parent {
      override find(): void {}
    }
    expect(names(methodMetadata(Sub, 'find', handlerOf(Sub, 'find')))).toEqual(['base']);
  });

  it('survives a wrapping decorator', () => {
    class Sub extends Base {
      @Wrap()
      override find(): void {}
    }
    expect(names(methodMetadata(Sub, 'find', handlerOf(Sub, 'find')))).toEqual(['base']);
  });
});

describe('the metadata of a class', () => {
  it('comes after that of its ancestors, from top to bottom', () => {
    @mark('grandparent')
    class Grandparent {}
    class Parent extends Grandparent {}
    @mark('top')
    @mark('bottom')
    class Child extends Parent {}
    expect(names(classMetadata(Child))).toEqual(['grandparent', 'top', 'bottom']);
    expect(names(classMetadata(Parent))).toEqual(['grandparent']);
  });

  it('does not include that of a subclass', () => {
    @mark('parent')
    class Parent {}
    @mark('child')
    class Child extends Parent {}
    expect(names(classMetadata(Child))).toEqual(['parent', 'child']);
    expect(names(classMetadata(Parent))).toEqual(['parent']);
  });

  it('survives a class decorator that returns a subclass, above or below', () => {
    // oxlint-disable-next-line typescript/no-explicit-any -- TypeScript demands it of a mixin's constructor
    const Replace = <T extends new (...args: any[]) => object>(target: T): T => class extends target {};
    @Replace
    @mark('below')
    class Below {}
    @mark('above')
    @Replace
    class Above {}
    expect(names(classMetadata(Below))).toEqual(['below']);
    expect(names(classMetadata(Above))).toEqual(['above']);
  });

  it('is listed once if parent and child share a decorator object', () => {
    const shared = mark('shared');
    @shared
    class Parent {}
    @shared
    class Child extends Parent {}
    expect(names(classMetadata(Child))).toEqual(['shared']);
  });
});

describe('handlerMetadata()', () => {
  it('returns the access metadata of the class and of every name of the method, without rate limits', () => {
    const skip = ruleDecorator({ kind: 'skip-rate-limit' });
    @skip
    @mark('class')
    class Controller {
      @mark('find')
      @skip
      find(): void {}
      @mark('list')
      list(): void {}
    }
    const { ofClass, ofMethod } = handlerMetadata(Controller, ['find', 'list'], handlerOf(Controller, 'find'));
    expect(names(ofClass.access)).toEqual(['class']);
    expect(names(ofMethod.access)).toEqual(['find', 'list']);
  });
});

describe('handlerMetadata() of a class that Nest sees as another', () => {
  const open = ruleDecorator({ kind: 'public' });

  @mark('linked class')
  @open
  class Linked {
    @mark('linked method')
    @open
    find(): void {}
  }

  /** A class whose prototype names another one as its constructor, as a mixin leaves it. */
  function namingLinked(owner: { readonly prototype: object }): void {
    Object.defineProperty(owner.prototype, 'constructor', { value: Linked });
  }

  it('includes the requirements of a class that is linked, and not its @PublicRoute()', () => {
    class Controller {
      @mark('own method')
      find(): void {}
    }
    namingLinked(Controller);
    const { ofClass, ofMethod } = handlerMetadata(Controller, ['find'], handlerOf(Controller, 'find'));
    expect(names(ofClass.access)).toEqual(['linked class']);
    expect(names(ofMethod.access)).toEqual(['own method', 'linked method']);
  });

  it('includes the @PublicRoute() of a class that is linked and has the handler itself', () => {
    class Controller {}
    Object.defineProperty(Controller.prototype, 'find', { value: handlerOf(Linked, 'find') });
    const { ofClass, ofMethod } = handlerMetadata(Controller, ['find'], handlerOf(Linked, 'find'));
    expect(names(ofClass.access)).toEqual(['linked class', 'public']);
    expect(names(ofMethod.access)).toEqual(['linked method', 'public']);
  });

  it('includes the @PublicRoute() of the class that Nest registered', () => {
    @open
    class Registered {}
    class Told {
      find(): void {}
    }
    const inUse = { registered: Registered, told: Told, prototype: Told.prototype };
    const { ofClass } = handlerMetadata(Registered, ['find'], handlerOf(Told, 'find'), inUse);
    expect(names(ofClass.access)).toEqual(['public']);
  });

  it('finds the class of a method that a mixin copied', () => {
    @mark('source class')
    class Source {
      @mark('source method')
      find(): void {}
    }
    class Controller {}
    Object.defineProperty(Controller.prototype, 'find', { value: handlerOf(Source, 'find') });
    const { ofClass, ofMethod } = handlerMetadata(Controller, ['find'], handlerOf(Source, 'find'));
    expect(names(ofClass.access)).toEqual(['source class']);
    expect(names(ofMethod.access)).toEqual(['source method']);
  });

  it('finds no metadata on a linked class for another method', () => {
    class Controller {
      list(): void {}
    }
    namingLinked(Controller);
    const { ofMethod } = handlerMetadata(Controller, ['list'], handlerOf(Controller, 'list'));
    expect(ofMethod).toEqual({ access: [], rateLimits: [] });
  });

  it('lists metadata once that two linked classes share', () => {
    const shared = mark('shared');
    @shared
    class One {
      find(): void {}
    }
    @shared
    class Other {}
    Object.defineProperty(One.prototype, 'constructor', { value: Other });
    const { ofClass } = handlerMetadata(One, ['find'], handlerOf(One, 'find'));
    expect(names(ofClass.access)).toEqual(['shared']);
  });
});

describe('ruleDecorator()', () => {
  it('stores metadata under a key that is equal in every copy of the library', () => {
    @mark('a')
    class Controller {}
    expect(Reflect.getOwnMetadata(Symbol.for('nestjs-kinde-api-key:rules'), Controller)).toEqual(
      classMetadata(Controller),
    );
  });

  function defineStatic(): unknown {
    class Controller {
      @mark('m')
      static go(): void {}
    }
    return Controller;
  }
  function defineAccessor(): unknown {
    class Controller {
      @mark('m')
      get go(): number {
        return 1;
      }
    }
    return Controller;
  }
  function defineField(): unknown {
    class Controller {
      go = (): void => {};
    }
    (mark('m') as (target: object, property: string) => void)(Controller.prototype, 'go');
    return Controller;
  }

  it.each([
    ['a static method', defineStatic],
    ['an accessor', defineAccessor],
    ['a field that holds a function', defineField],
  ])('throws when the class is defined, on %s', (_case, define) => {
    expect(define).toThrow(TypeError);
    expect(define).toThrow('@RequireScopes() goes on a class or an instance method, not on Controller.go');
  });
});
