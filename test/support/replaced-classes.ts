import { Controller, Get, mixin, Module, Scope, type DynamicModule, type Type } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';

/** A decorator for a class or a method. */
export type Rule = ClassDecorator & MethodDecorator;

/** What one way of replacing a class or a handler gives to Nest. */
export interface Replaced {
  readonly controllers?: Type[];
  readonly imports?: (Type | DynamicModule)[];
  readonly providers?: object[];
}

/** Where the rule stands, and on what: the other positions get no rule. */
type Build = (at: (position: string) => Rule, guard: Rule, path: string) => Replaced;

/** A way in which a class or a handler is replaced, and where a rule may stand. The path is `/:orgCode/<path>`. */
export interface Way {
  readonly name: string;
  readonly positions: readonly string[];
  readonly build: Build;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;
type AnyClass = new (...args: any[]) => any; // oxlint-disable-line typescript/no-explicit-any -- TypeScript demands it of mixins

/** The function of the TypeScript handbook: it copies every name of a prototype, `constructor` included. */
export function applyMixins(derived: AnyClass, bases: AnyClass[], skipped: readonly string[] = []): void {
  for (const base of bases)
    for (const name of Object.getOwnPropertyNames(base.prototype).filter((one) => !skipped.includes(one))) {
      const descriptor = Object.getOwnPropertyDescriptor(base.prototype, name) ?? {};
      Object.defineProperty(derived.prototype, name, descriptor);
    }
}

/** Replaces a method by a function without its metadata. */
function Wrapped(_target: object, _name: string | symbol, descriptor: PropertyDescriptor): void {
  const original = descriptor.value as Method;
  descriptor.value = function (this: unknown, ...args: unknown[]) {
    return original.apply(this, args);
  };
}

/** A class decorator that puts what `replace` returns in the place of the class. */
function ReplacedBy(replace: (target: AnyClass) => unknown): ClassDecorator {
  return ((target: AnyClass) => replace(target)) as unknown as ClassDecorator;
}

/** Copies metadata except for the rules, as class decorators of other libraries do. */
function copyMetadata(from: object, to: object): void {
  for (const key of Reflect.getMetadataKeys(from).filter((one) => typeof one === 'string'))
    Reflect.defineMetadata(key, Reflect.getMetadata(key, from), to);
}

function functionFor(target: AnyClass, prototype: object, make: (args: unknown[]) => object): unknown {
  const replacement = function (...args: unknown[]) {
    return make(args);
  };
  replacement.prototype = prototype;
  copyMetadata(target, replacement);
  return replacement;
}

/** A class with a rule on itself or its method, in whose place a decorator puts something else. */
function replacedClass(name: string, replace: (target: AnyClass) => unknown): Way {
  return {
    name,
    positions: ['class below', 'class above', 'method'],
    build: (at, guard, path) => {
      @Controller(':orgCode')
      @guard
      @at('class above')
      @ReplacedBy(replace)
      @at('class below')
      class Replaced {
        @Get(path)
        @at('method')
        find() {
          return 'ok';
        }
      }
      return { controllers: [Replaced] };
    },
  };
}

function mixedIn(name: string, skipped: readonly string[]): Way {
  return {
    name,
    positions: ['class of the mixin', 'method', 'method below a wrapper', 'class', 'class above'],
    build: (at, guard, path) => {
      @at('class of the mixin')
      class Crud {
        @Get(path)
        @at('method')
        @Wrapped
        @at('method below a wrapper')
        find() {
          return 'ok';
        }
      }
      @at('class above')
      @Controller(':orgCode')
      @guard
      @at('class')
      class Reports {}
      applyMixins(Reports, [Crud], skipped);
      return { controllers: [Reports] };
    },
  };
}

function ordinary(name: string, wrap: (controller: Type) => Replaced, scope = Scope.DEFAULT): Way {
  return {
    name,
    positions: ['class', 'method'],
    build: (at, guard, path) => {
      @Controller({ path: ':orgCode', scope })
      @guard
      @at('class')
      class Ordinary {
        @Get(path)
        @at('method')
        find() {
          return 'ok';
        }
      }
      return wrap(Ordinary);
    },
  };
}

function moduleOf(controller: Type): DynamicModule {
  @Module({})
  class Feature {}
  return { module: Feature, controllers: [controller] };
}

/** Every way that is tried. */
export const WAYS: readonly Way[] = [
  ordinary('an ordinary class', (controller) => ({ controllers: [controller] })),
  ordinary('a request-scoped class', (controller) => ({ controllers: [controller] }), Scope.REQUEST),
  ordinary('a dynamic module', (controller) => ({ imports: [moduleOf(controller)] })),
  ordinary('two modules with the same controller', (controller) => {
    const second = moduleOf(controller);
    return {
      imports: [moduleOf(controller), second, RouterModule.register([{ path: 'second', module: second.module }])],
    };
  }),
  ordinary('a controller that is also provided as a value', (controller) => ({
    controllers: [controller],
    providers: [{ provide: controller, useValue: { find: () => 'stub' } }],
  })),
  ordinary('a controller that is also provided by a factory', (controller) => ({
    controllers: [controller],
    providers: [{ provide: 'other', useFactory: () => new controller() }],
  })),
  ordinary('an instance that names another class', (controller) => {
    class Other {}
    const Naming = class extends (controller as AnyClass) {
      constructor() {
        super();
        Object.defineProperty(this, 'constructor', { value: Other });
      }
    };
    copyMetadata(controller, Naming);
    return { controllers: [Naming] };
  }),
  mixedIn('a mixin that copies constructor', []),
  mixedIn('a mixin that leaves out constructor', ['constructor']),
  replacedClass('a decorator that returns a subclass', (target) => class extends target {}),
  replacedClass('a decorator that returns a function with the prototype of the class', (target) =>
    functionFor(target, target.prototype as object, (args) => Reflect.construct(target, args) as object),
  ),
  replacedClass('a decorator that also overwrites constructor', (target) => {
    const replacement = functionFor(
      target,
      target.prototype as object,
      (args) => Reflect.construct(target, args) as object,
    );
    Object.defineProperty(target.prototype, 'constructor', { value: replacement });
    return replacement;
  }),
  replacedClass('a decorator that returns a function with a prototype of its own', (target) =>
    functionFor(
      target,
      Object.create(target.prototype as object) as object,
      (args) => Reflect.construct(target, args) as object,
    ),
  ),
  replacedClass('a decorator that returns a function for instances of the class', (target) =>
    functionFor(target, {}, (args) => Reflect.construct(target, args) as object),
  ),
  replacedClass('a decorator that returns a proxy', (target) => new Proxy(target, {})),
  replacedClass('a decorator that returns a proxy around its instances', (target) => {
    return new Proxy(target, { construct: (...args) => new Proxy(Reflect.construct(...args) as object, {}) });
  }),
  replacedClass('a subclass of a proxy', (target) => class extends (new Proxy(target, {})) {}),
  replacedClass('a decorator that copies the methods to another class', (target) => {
    const Copy = class {};
    applyMixins(Copy, [target]);
    copyMetadata(target, Copy);
    return Copy;
  }),
  {
    name: 'a subclass',
    positions: ['class of the ancestor', 'class', 'method', 'overridden method'],
    build: (at, guard, path) => {
      @at('class of the ancestor')
      abstract class Base {
        @at('overridden method')
        find() {
          return 'never called';
        }
      }
      @Controller(':orgCode')
      @guard
      @at('class')
      class Sub extends Base {
        @Get(path)
        @at('method')
        override find() {
          return 'ok';
        }
      }
      return { controllers: [Sub] };
    },
  },
  {
    name: "Nest's mixin()",
    positions: ['class of the mixin', 'class', 'method'],
    build: (at, guard, path) => {
      @at('class of the mixin')
      class Mixed {
        @Get(path)
        @at('method')
        find() {
          return 'ok';
        }
      }
      @Controller(':orgCode')
      @guard
      @at('class')
      class Using extends mixin(Mixed) {}
      return { controllers: [Using] };
    },
  },
  {
    name: 'a method decorator that replaces the function',
    positions: ['class', 'method above', 'method below'],
    build: (at, guard, path) => {
      @Controller(':orgCode')
      @guard
      @at('class')
      class WithWrapped {
        @Get(path)
        @at('method above')
        @Wrapped
        @at('method below')
        find() {
          return 'ok';
        }
      }
      return { controllers: [WithWrapped] };
    },
  },
  {
    name: 'a function that the constructor replaces',
    positions: ['class', 'method'],
    build: (at, guard, path) => {
      @Controller(':orgCode')
      @guard
      @at('class')
      class Replacing {
        constructor() {
          this.find = () => 'ok';
        }
        @Get(path)
        @at('method')
        find() {
          return 'replaced';
        }
      }
      return { controllers: [Replacing] };
    },
  },
];
