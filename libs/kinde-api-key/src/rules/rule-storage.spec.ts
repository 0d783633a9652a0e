import 'reflect-metadata';
import type { RuleMetadata } from './rule-metadata.js';
import { classParts, methodParts, ruleDecorator } from './rule-storage.js';

/** A decorator whose part is recognized by its scope. */
function mark(name: string): ClassDecorator & MethodDecorator {
  return ruleDecorator(`@${name}()`, { kind: 'scopes', scopes: [name] });
}

function names(parts: readonly RuleMetadata[]): string[] {
  return parts.map((part) => (part.kind === 'scopes' ? part.scopes.join() : part.kind));
}

type Method = (...args: unknown[]) => unknown;

/** What a logging or transaction decorator does: it puts a new function in the place of the method. */
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

describe('the parts of a method', () => {
  it('are listed from top to bottom, as they are written', () => {
    class Controller {
      @mark('top')
      @mark('middle')
      @mark('bottom')
      find(): void {}
    }
    expect(names(methodParts(Controller, 'find'))).toEqual(['top', 'middle', 'bottom']);
    expect(names(methodParts(Controller, 'find', handlerOf(Controller, 'find')))).toEqual(['top', 'middle', 'bottom']);
  });

  it.each([false, true])('survive a wrapping decorator above (it copies metadata: %s)', (copiesMetadata) => {
    class Controller {
      @Wrap({ copiesMetadata })
      @mark('a')
      find(): void {}
    }
    expect(names(methodParts(Controller, 'find', handlerOf(Controller, 'find')))).toEqual(['a']);
  });

  it.each([false, true])('survive a wrapping decorator below (it copies metadata: %s)', (copiesMetadata) => {
    class Controller {
      @mark('a')
      @Wrap({ copiesMetadata })
      find(): void {}
    }
    expect(names(methodParts(Controller, 'find', handlerOf(Controller, 'find')))).toEqual(['a']);
  });

  it.each([false, true])('survive wrapping decorators between them, each once (copying: %s)', (copiesMetadata) => {
    class Controller {
      @Wrap({ copiesMetadata })
      @mark('a')
      @Wrap({ copiesMetadata })
      @mark('b')
      @Wrap({ copiesMetadata })
      find(): void {}
    }
    const found = names(methodParts(Controller, 'find', handlerOf(Controller, 'find')));
    expect(found.toSorted()).toEqual(['a', 'b']);
  });

  it('stay with the function where only that is known', () => {
    class Controller {
      @mark('a')
      find(): void {}
    }
    class Elsewhere {}
    const handler = handlerOf(Controller, 'find');
    expect(names(methodParts(Elsewhere, 'another', handler))).toEqual(['a']);
  });

  it('do not spread to another method, by name or by place', () => {
    class Controller {
      @mark('a')
      find(): void {}
      list(): void {}
    }
    expect(methodParts(Controller, 'list')).toEqual([]);
    expect(methodParts(Controller, 'constructor')).toEqual([]);
    expect(methodParts(Controller, 'toString')).toEqual([]);
    expect(methodParts(Controller, '__proto__')).toEqual([]);
  });
});

describe('an override', () => {
  class Base {
    @mark('base')
    find(): void {}
  }

  it('keeps the parts of what it overrides, without decorators of its own', () => {
    class Sub extends Base {
      override find(): void {}
    }
    expect(names(methodParts(Sub, 'find', handlerOf(Sub, 'find')))).toEqual(['base']);
  });

  it('adds its own after them', () => {
    class Sub extends Base {
      @mark('sub')
      override find(): void {}
    }
    expect(names(methodParts(Sub, 'find'))).toEqual(['base', 'sub']);
  });

  it('does not change what it overrides, nor its siblings', () => {
    class Sub extends Base {
      @mark('sub')
      override find(): void {}
    }
    class Sibling extends Base {}
    expect(names(methodParts(Sub, 'find'))).toContain('sub');
    expect(names(methodParts(Base, 'find'))).toEqual(['base']);
    expect(names(methodParts(Sibling, 'find'))).toEqual(['base']);
  });

  it('keeps the parts through a generation that does not mention the method', () => {
    class Middle extends Base {}
    class Sub extends Middle {
      @mark('sub')
      override find(): void {}
    }
    expect(names(methodParts(Sub, 'find'))).toEqual(['base', 'sub']);
  });

  it('of a mixin keeps the parts of each layer', () => {
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
    expect(names(methodParts(Sub, 'find'))).toEqual(['inner', 'outer', 'own']);
  });

  it('survives being wrapped', () => {
    class Sub extends Base {
      @Wrap()
      override find(): void {}
    }
    expect(names(methodParts(Sub, 'find', handlerOf(Sub, 'find')))).toEqual(['base']);
  });
});

describe('the parts of a class', () => {
  it('come after those of its ancestors, top to bottom', () => {
    @mark('grandparent')
    class Grandparent {}
    class Parent extends Grandparent {}
    @mark('top')
    @mark('bottom')
    class Child extends Parent {}
    expect(names(classParts(Child))).toEqual(['grandparent', 'top', 'bottom']);
    expect(names(classParts(Parent))).toEqual(['grandparent']);
  });

  it('are not changed by a subclass', () => {
    @mark('parent')
    class Parent {}
    @mark('child')
    class Child extends Parent {}
    expect(names(classParts(Child))).toEqual(['parent', 'child']);
    expect(names(classParts(Parent))).toEqual(['parent']);
  });

  it('survive a class decorator that returns a subclass, above or below', () => {
    // oxlint-disable-next-line typescript/no-explicit-any -- TypeScript demands it of a mixin's constructor
    const Replace = <T extends new (...args: any[]) => object>(target: T): T => class extends target {};
    @Replace
    @mark('below')
    class Below {}
    @mark('above')
    @Replace
    class Above {}
    expect(names(classParts(Below))).toEqual(['below']);
    expect(names(classParts(Above))).toEqual(['above']);
  });

  it('count once where one decorator object stands on parent and child', () => {
    const shared = mark('shared');
    @shared
    class Parent {}
    @shared
    class Child extends Parent {}
    expect(names(classParts(Child))).toEqual(['shared']);
  });
});

describe('a place that a rule cannot go on', () => {
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
  ])('throws when the class is defined: %s', (_case, define) => {
    expect(define).toThrow(TypeError);
    expect(define).toThrow('@m() goes on a class or an instance method, not on Controller.go');
  });
});
