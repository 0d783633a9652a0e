import 'reflect-metadata';
import type { AppHandler } from '../handlers/app-handlers.js';
import type { AnyFunction } from '../handlers/ancestors.js';
import type { ClassHost } from '../handlers/class-hosts.js';
import { PublicRoute, RequireScopes, UserScoped } from '../rules/access.decorators.js';
import { unusedRules } from './unused-rules.js';

@RequireScopes('a')
class OnClass {
  find(): void {}
}
class OnMethod {
  @RequireScopes('a')
  find(): void {}
  @UserScoped()
  list(): void {}
  plain(): void {}
}

interface Given extends Partial<Pick<ClassHost, 'isController' | 'told'>> {
  /** Methods that Nest calls. */
  readonly called?: readonly string[];
  readonly controllers?: readonly AnyFunction[];
}

function unused(registered: AnyFunction, given: Given = {}): readonly string[] {
  const { isController = false, told = registered, called = [], controllers = [] } = given;
  const prototype = registered.prototype as object;
  const host = { registered, told, prototype, isController } as ClassHost;
  const handlers = called.map((name) => ({ registered, told, name }) as AppHandler);
  return unusedRules([host], handlers, new Set(controllers));
}

const problem = (name: string, rule: string): string =>
  `${name} carries ${rule} but is no HTTP route, so nothing enforces it: remove the decorator, ` +
  'or call ApiKeyVerificationService where the key arrives';
const ON_CLASS = problem('OnClass', "@RequireScopes('a')");
const FIND = problem('OnMethod.find', "@RequireScopes('a')");
const LIST = problem('OnMethod.list', '@UserScoped()');

describe('unusedRules()', () => {
  it('finds the rule of a provider that Nest never calls, on its class or on its methods', () => {
    expect(unused(OnClass)).toEqual([ON_CLASS]);
    expect(unused(OnMethod)).toEqual([FIND, LIST]);
  });

  it('is empty for a class and methods that Nest calls', () => {
    expect(unused(OnClass, { called: ['find'] })).toEqual([]);
    expect(unused(OnMethod, { called: ['find', 'list'] })).toEqual([]);
  });

  it('finds a method that Nest does not call beside one that it calls', () => {
    expect(unused(OnMethod, { called: ['find', 'plain'] })).toEqual([LIST]);
    expect(unused(OnMethod, { called: ['list'], isController: true })).toEqual([FIND]);
  });

  it('does not count the handlers of other classes', () => {
    const host = { registered: OnMethod, told: OnMethod, prototype: OnMethod.prototype, isController: false };
    const handlers = [{ registered: OnClass, told: OnClass, name: 'find' } as Partial<AppHandler> as AppHandler];
    expect(unusedRules([host as unknown as ClassHost], handlers, new Set())).toEqual([FIND, LIST]);
  });

  it('leaves the class of a controller without routes alone, and finds its methods', () => {
    expect(unused(OnClass, { isController: true })).toEqual([]);
    expect(unused(OnMethod, { isController: true, controllers: [OnMethod] })).toEqual([FIND, LIST]);
  });

  it('leaves a provider alone that is a controller elsewhere, known by either of its classes', () => {
    class Told {}
    expect(unused(OnMethod, { controllers: [OnMethod] })).toEqual([]);
    expect(unused(OnMethod, { told: Told, controllers: [Told] })).toEqual([]);
    expect(unused(OnMethod, { told: Told, controllers: [OnMethod] })).toEqual([]);
    expect(unused(OnMethod, { told: Told, controllers: [OnClass] })).toEqual([FIND, LIST]);
  });

  it('reads both classes of a provider that was replaced, and one class once', () => {
    expect(unused(OnMethod, { told: OnClass })).toEqual([FIND, LIST, ON_CLASS]);
    expect(unused(OnMethod, { told: OnMethod })).toEqual([FIND, LIST]);
  });

  it('finds inherited methods, each once', () => {
    class Sub extends OnMethod {
      override find(): void {}
    }
    expect(unused(Sub)).toEqual([problem('Sub.find', "@RequireScopes('a')"), problem('Sub.list', '@UserScoped()')]);
  });

  it('ignores @PublicRoute(), which needs no guard, and finds a requirement beside it', () => {
    @PublicRoute()
    class Open {
      @PublicRoute()
      find(): void {}
    }
    @PublicRoute()
    @UserScoped()
    class Mixed {}
    expect(unused(Open)).toEqual([]);
    expect(unused(Mixed)).toEqual([problem('Mixed', '@UserScoped()')]);
  });

  it('ignores what carries no rule', () => {
    class Plain {
      find(): void {}
    }
    expect(unused(Plain)).toEqual([]);
    expect(unusedRules([], [], new Set())).toEqual([]);
  });

  it('does not take a rule on a constructor or on Object.prototype for one of a method', () => {
    class Odd {}
    const scoped = RequireScopes('a') as (target: object, name: string, descriptor: PropertyDescriptor) => void;
    const { toString } = Object.prototype;
    scoped(Odd.prototype, 'constructor', { value: () => undefined });
    const onEverything = Reflect.getOwnMetadataKeys(Odd.prototype, 'constructor');
    for (const key of onEverything) Reflect.defineMetadata(key, [{ kind: 'user' }], Object.prototype, toString.name);
    try {
      expect(unused(Odd)).toEqual([]);
    } finally {
      for (const key of onEverything) Reflect.deleteMetadata(key, Object.prototype, toString.name);
    }
  });
});
