import 'reflect-metadata';
import { ModulesContainer } from '@nestjs/core';
import { AnyValidKey, OrgScoped, PublicRoute, RequireScopes } from './access.decorators.js';
import { RateLimit } from './rate-limit.decorators.js';
import { ProviderInstances } from '../handlers/provider-instances.js';
import { ResolverBinding } from './resolver-binding.js';
import { metadataOf, RouteRuleRegistry, type FindHandlers } from './route-rule-registry.js';

type Handler = (...args: unknown[]) => unknown;
type Owner = abstract new (...args: never[]) => object;

interface Given {
  readonly orgParam?: string;
  readonly publicControllers?: unknown[];
  readonly find?: FindHandlers;
  readonly warn?: (line: string) => void;
}

function rulesWith({ orgParam = 'orgCode', publicControllers = [], find, warn }: Given = {}): RouteRuleRegistry {
  return new RouteRuleRegistry(
    { orgParam, publicControllers: new Set(publicControllers), rateLimit: null },
    new ResolverBinding(new ModulesContainer(), new ProviderInstances()),
    find,
    warn && { warn },
  );
}

function handlerOf(owner: Owner, name: string): Handler {
  return (owner.prototype as Record<string, Handler>)[name] as Handler;
}

function scopesOf(rules: RouteRuleRegistry, owner: Owner, handler: Handler): readonly string[] | undefined {
  return rules.ruleOf(owner, handler)?.access.requiredScopes;
}

class Base {
  @RequireScopes('find')
  find(): void {}
  plain(): void {}
}

@RequireScopes('first')
class First extends Base {}
@RequireScopes('second')
class Second extends Base {}

describe('RouteRuleRegistry.ruleOf()', () => {
  it('compiles the rule of a class and function once', () => {
    const rules = rulesWith();
    const rule = rules.ruleOf(First, handlerOf(First, 'find'));
    expect(rule).toMatchObject({ route: 'First.find', isDecided: true });
    expect(rules.ruleOf(First, handlerOf(First, 'find'))).toBe(rule);
  });

  it('returns different rules for two subclasses that share an inherited function', () => {
    const rules = rulesWith();
    const shared = handlerOf(Base, 'find');
    expect(handlerOf(First, 'find')).toBe(handlerOf(Second, 'find'));
    expect(scopesOf(rules, First, shared)).toEqual(['first', 'find']);
    expect(scopesOf(rules, Second, shared)).toEqual(['second', 'find']);
    expect(scopesOf(rules, Base, shared)).toEqual(['find']);
    expect(scopesOf(rules, First, shared)).toEqual(['first', 'find']);
  });

  it('names a method once, although it was added twice and is overridden by the same function', () => {
    class Sub extends Base {}
    Object.defineProperty(Sub.prototype, 'find', { value: handlerOf(Base, 'find') });
    const rules = rulesWith();
    for (const _time of [1, 2]) rules.add(Sub, 'find', handlerOf(Sub, 'find'));
    expect(rules.ruleOf(Sub, handlerOf(Sub, 'find'))).toMatchObject({ route: 'Sub.find' });
  });

  it('returns different rules for two subclasses that were added at boot', () => {
    const rules = rulesWith();
    const shared = handlerOf(Base, 'plain');
    rules.add(First, 'plain', shared);
    rules.add(Second, 'plain', shared);
    expect(scopesOf(rules, First, shared)).toEqual(['first']);
    expect(scopesOf(rules, Second, shared)).toEqual(['second']);
  });

  it('returns undefined for a function that is not on the class', () => {
    const rules = rulesWith();
    expect(rules.ruleOf(First, () => undefined)).toBeUndefined();
    expect(rules.ruleOf(Base, class {})).toBeUndefined();
  });

  it('returns undefined for a handler of another class', () => {
    class Other {
      find(): void {}
    }
    expect(rulesWith().ruleOf(First, handlerOf(Other, 'find'))).toBeUndefined();
  });

  it('returns undefined for a handler that is public and required at once', () => {
    class Contradictory {
      @PublicRoute()
      @RequireScopes('a')
      find(): void {}
    }
    expect(rulesWith().ruleOf(Contradictory, handlerOf(Contradictory, 'find'))).toBeUndefined();
  });

  it('returns undefined for a class without a prototype', () => {
    const arrow = (): void => {};
    expect(rulesWith().ruleOf(arrow, arrow)).toBeUndefined();
  });

  it('finds a handler without a name, and a handler with the name of another', () => {
    class Nameless {
      @RequireScopes('find')
      find(): void {}
      @RequireScopes('list')
      list(): void {}
    }
    Object.defineProperty(handlerOf(Nameless, 'find'), 'name', { value: '' });
    Object.defineProperty(handlerOf(Nameless, 'list'), 'name', { value: 'find' });
    const rules = rulesWith();
    expect(rules.ruleOf(Nameless, handlerOf(Nameless, 'find'))).toMatchObject({
      route: 'Nameless.find',
      access: { requiredScopes: ['find'] },
    });
    expect(scopesOf(rules, Nameless, handlerOf(Nameless, 'list'))).toEqual(['list']);
  });

  it('finds a handler that a decorator has wrapped', () => {
    const Wrap: MethodDecorator = (_target, _property, descriptor) => {
      const holder = descriptor as unknown as { value: Handler };
      const original = holder.value;
      holder.value = (...args) => original(...args);
    };
    class Wrapped {
      @Wrap
      @RequireScopes('below')
      above(): void {}
      @RequireScopes('above')
      @Wrap
      below(): void {}
    }
    const rules = rulesWith();
    expect(scopesOf(rules, Wrapped, handlerOf(Wrapped, 'above'))).toEqual(['below']);
    expect(scopesOf(rules, Wrapped, handlerOf(Wrapped, 'below'))).toEqual(['above']);
  });

  it('includes the rules that an override inherits', () => {
    class Override extends First {
      override find(): void {}
    }
    expect(scopesOf(rulesWith(), Override, handlerOf(Override, 'find'))).toEqual(['first', 'find']);
  });

  it('tells whether a decorator decided about access', () => {
    class Undecided {
      find(): void {}
      @AnyValidKey()
      any(): void {}
    }
    const rules = rulesWith();
    expect(rules.ruleOf(Undecided, handlerOf(Undecided, 'find'))).toMatchObject({ isDecided: false, isPublic: false });
    expect(rules.ruleOf(Undecided, handlerOf(Undecided, 'any'))).toMatchObject({ isDecided: true, isPublic: false });
  });
});

describe('RouteRuleRegistry.registered()', () => {
  it('is true once the rule of a function was added for its class, and false for others', () => {
    const rules = rulesWith();
    const find = handlerOf(First, 'find');
    expect(rules.registered(First, find)).toBeUndefined();
    rules.add(First, 'find', find);
    expect(rules.registered(First, find)).toBeDefined();
    expect(rules.registered(First, handlerOf(First, 'plain'))).toBeUndefined();
    expect(rules.registered(Second, find)).toBeUndefined();
  });

  it('is true for a rule that has problems, so that they are reported once', () => {
    const rules = rulesWith({ publicControllers: [First] });
    rules.add(First, 'find', handlerOf(First, 'find'));
    expect(rules.registered(First, handlerOf(First, 'find'))).toBeDefined();
  });
});

describe('RouteRuleRegistry.add()', () => {
  it('returns the metadata of the class and of the method, each decorator once', () => {
    @RequireScopes('class')
    @RateLimit({ limit: 2, windowMs: 1_000 })
    class Limited {
      @RequireScopes('method')
      find(): void {}
    }
    const rules = rulesWith();
    const kindsOf = (owner: Owner) => metadataOf(rules.add(owner, 'find', handlerOf(owner, 'find')));
    expect(kindsOf(Limited)).toEqual([
      { kind: 'scopes', scopes: ['class'] },
      { kind: 'rate-limit', limit: 2, windowMs: 1_000 },
      { kind: 'scopes', scopes: ['method'] },
    ]);
    class Twice {
      find(): void {}
    }
    const shared = RequireScopes('shared');
    shared(Twice);
    const handler = handlerOf(Twice, 'find');
    const [onClass] = metadataOf(rules.add(Twice, 'find', handler));
    expect(onClass).toEqual({ kind: 'scopes', scopes: ['shared'] });
    shared(Twice.prototype, 'find', { value: handler });
    expect(metadataOf(rulesWith().add(Twice, 'find', handler))).toEqual([onClass]);
  });
});

describe('a function that Nest names one class for, although two classes have it', () => {
  class Told {
    find(): void {}
  }
  const handler = handlerOf(Told, 'find');
  const inUse = (registered: Owner) => ({ registered, told: Told, prototype: registered.prototype as object });
  const scoped = RequireScopes('shared');
  @RequireScopes('a')
  class Strict extends Told {}
  class Loose extends Told {}
  @scoped
  class Equal extends Told {}
  @scoped
  class EqualToo extends Told {}
  @scoped
  @RequireScopes('more')
  class More extends Told {}

  it.each([
    ['the first has more rules', Strict, Loose],
    ['the second has more rules', Loose, Strict],
    ['one has the rules of the other and more', Equal, More],
    ['the other has the rules of one and more', More, Equal],
    ['each has rules of its own', Strict, Equal],
  ])('is refused, with the cure, if %s', (_case, first, second) => {
    const rules = rulesWith();
    expect(rules.add(Told, 'find', handler, inUse(first)).problems).toEqual([]);
    const { conflicts, problems } = rules.add(Told, 'find', handler, inUse(second));
    expect(conflicts).toEqual([
      `looks the same to a guard as ${first.name}.find, which has other rules: Nest names one class for both, because a mixin copied ` +
        'its constructor; leave out "constructor" where the mixin copies the names of a prototype',
    ]);
    expect(problems).toEqual(conflicts);
    expect(rules.ruleOf(Told, handler)).toBeUndefined();
  });

  it('stays refused if a class is added again, and has one problem of many conflicts', () => {
    const rules = rulesWith();
    const added = [Strict, Loose, Strict, Strict].map((one) => rules.add(Told, 'find', handler, inUse(one)));
    expect(added.map(({ conflicts }) => conflicts.length)).toEqual([0, 1, 2, 2]);
    expect(added.map(({ problems }) => problems.length)).toEqual([0, 1, 1, 1]);
    expect(rules.ruleOf(Told, handler)).toBeUndefined();
  });

  it('has the rules of both if they are the same', () => {
    const rules = rulesWith();
    rules.add(Told, 'find', handler, inUse(Equal));
    expect(rules.add(Told, 'find', handler, inUse(EqualToo))).toMatchObject({ conflicts: [], problems: [] });
    expect(rules.ruleOf(Told, handler)?.access.requiredScopes).toEqual(['shared']);
  });
});

describe('a function that was not added', () => {
  it('gets the rule of what the app says that Nest calls', () => {
    const replacement: Handler = () => undefined;
    const find: FindHandlers = (told) => [
      { name: 'find', registered: First, told, prototype: First.prototype },
      { name: 'plain', registered: First, told, prototype: First.prototype },
    ];
    const rules = rulesWith({ find });
    expect(rules.ruleOf(Base, replacement)).toMatchObject({
      route: 'First.find|plain',
      access: { requiredScopes: ['first', 'find'] },
    });
  });

  it('is unknown if the app has its class and no such handler', () => {
    expect(rulesWith({ find: () => [] }).ruleOf(First, handlerOf(First, 'find'))).toBeUndefined();
  });

  it('is looked for on its class if the app does not have it', () => {
    const rules = rulesWith({ find: () => undefined });
    expect(scopesOf(rules, First, handlerOf(First, 'find'))).toEqual(['first', 'find']);
  });

  it('is unknown for a class outside the app that shares it with a class of the app', () => {
    const rules = rulesWith({ find: () => undefined });
    const shared = handlerOf(First, 'find');
    rules.add(First, 'find', shared);
    expect(rules.ruleOf(Second, shared)).toBeUndefined();
  });
});

describe('the rule of a function on the instance', () => {
  it('is found after it was added, for its class only', () => {
    const rules = rulesWith();
    const replacement: Handler = () => undefined;
    expect(rules.ruleOf(First, replacement)).toBeUndefined();
    rules.add(First, 'find', replacement);
    expect(scopesOf(rules, First, replacement)).toEqual(['first', 'find']);
    expect(rules.ruleOf(Second, replacement)).toBeUndefined();
  });

  it('includes the rules of every method that the function stands for', () => {
    class Stubbed {
      @RequireScopes('a')
      one(): void {}
      @RequireScopes('b')
      two(): void {}
    }
    const stub: Handler = () => undefined;
    const rules = rulesWith();
    rules.add(Stubbed, 'one', stub);
    expect(rules.ruleOf(Stubbed, stub)).toMatchObject({ route: 'Stubbed.one', access: { requiredScopes: ['a'] } });
    rules.add(Stubbed, 'two', stub);
    expect(rules.ruleOf(Stubbed, stub)).toMatchObject({
      route: 'Stubbed.one|two',
      access: { requiredScopes: ['a', 'b'] },
    });
  });

  it('has a problem if the function stands for a public method and a guarded one, and the handler is refused', () => {
    class Stubbed {
      @PublicRoute()
      open(): void {}
      @RequireScopes('b')
      closed(): void {}
    }
    const stub: Handler = () => undefined;
    const rules = rulesWith();
    expect(rules.add(Stubbed, 'open', stub).problems).toEqual([]);
    expect(rules.ruleOf(Stubbed, stub)).toMatchObject({ isPublic: true });
    expect(rules.add(Stubbed, 'closed', stub).problems).toEqual([
      expect.stringContaining('is public and required at once'),
    ]);
    expect(rules.ruleOf(Stubbed, stub)).toBeUndefined();
  });
});

describe('the rule of a function with two names on a class', () => {
  it('includes the rules of both, added at boot or not', () => {
    class Twice {
      @RequireScopes('a')
      one(): void {}
      @RequireScopes('b')
      two(): void {}
    }
    const shared: Handler = () => undefined;
    for (const name of ['one', 'two']) Object.defineProperty(Twice.prototype, name, { value: shared });
    expect(scopesOf(rulesWith(), Twice, shared)).toEqual(['a', 'b']);
    const booted = rulesWith();
    booted.add(Twice, 'two', shared);
    expect(scopesOf(booted, Twice, shared)).toEqual(['a', 'b']);
  });
});

describe('a function in front of a method', () => {
  function wrapperOf(handler: Handler): Handler {
    const wrapper: Handler = (...args) => handler(...args);
    Object.defineProperty(wrapper, 'name', { value: handler.name });
    for (const key of Reflect.getMetadataKeys(handler) as string[])
      Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), wrapper);
    return wrapper;
  }

  it('has the rule of the method, for its class only', () => {
    const rules = rulesWith();
    const handler = handlerOf(Base, 'find');
    const rule = rules.add(Base, 'find', handler).rule;
    expect(rules.ruleOf(Base, wrapperOf(handler))).toBe(rule);
    expect(rules.ruleOf(class extends Base {}, wrapperOf(handler))).toBeUndefined();
  });

  it('has none if it may be in front of another one', () => {
    const rules = rulesWith();
    const handler = handlerOf(Base, 'find');
    rules.add(Base, 'find', handler);
    rules.add(Base, 'find', wrapperOf(handler));
    expect(rules.ruleOf(Base, wrapperOf(handler))).toBeUndefined();
  });
});

describe('a controller in publicControllers', () => {
  class Foreign {
    find(): void {}
    @RequireScopes('a')
    guarded(): void {}
  }

  it('is public, except for methods with rules of their own', () => {
    const rules = rulesWith({ publicControllers: [Foreign] });
    expect(rules.ruleOf(Foreign, handlerOf(Foreign, 'find'))).toMatchObject({ isPublic: true, isDecided: true });
    expect(rules.ruleOf(Foreign, handlerOf(Foreign, 'guarded'))).toMatchObject({ isPublic: false });
  });

  it('does not make a subclass public', () => {
    class Sub extends Foreign {}
    const rules = rulesWith({ publicControllers: [Foreign] });
    expect(rules.ruleOf(Sub, handlerOf(Sub, 'find'))).toMatchObject({ isPublic: false, isDecided: false });
  });

  it('has a problem if its class carries a rule', () => {
    const rules = rulesWith({ publicControllers: [First] });
    expect(rules.add(First, 'find', handlerOf(First, 'find')).problems).toEqual([
      expect.stringContaining('stand on the class'),
    ]);
  });
});

describe('the organization readers of a rule', () => {
  class Resolver {
    resolveOrgCode(): string {
      return 'org_a';
    }
  }
  class Controller {
    @OrgScoped()
    bare(): void {}
    @OrgScoped({ param: 'id' })
    param(): void {}
    @OrgScoped({ resolve: () => 'org_a' })
    callback(): void {}
    @OrgScoped({ from: 'key' })
    ofKey(): void {}
    @OrgScoped({ resolve: Resolver })
    injectable(): void {}
  }
  const request = { params: { tenant: 'org_of_tenant', id: 'org_of_id' } };

  function readAll(rules: RouteRuleRegistry, name: string): unknown[] | undefined {
    return rules
      .ruleOf(Controller, handlerOf(Controller, name))
      ?.organizations.map((read) => read(undefined as never, request, undefined as never));
  }

  it('read each kind of target', () => {
    const rules = rulesWith({ orgParam: 'tenant' });
    expect(readAll(rules, 'bare')).toEqual([{ orgCode: 'org_of_tenant' }]);
    expect(readAll(rules, 'param')).toEqual([{ orgCode: 'org_of_id' }]);
    expect(readAll(rules, 'callback')).toEqual(['org_a']);
  });

  it('are empty for { from: "key" }, which still needs a key with an organization', () => {
    const rules = rulesWith();
    expect(readAll(rules, 'ofKey')).toEqual([]);
    expect(rules.ruleOf(Controller, handlerOf(Controller, 'ofKey'))?.access.needsOrganization).toBe(true);
  });

  it('have a problem if the resolver is not provided, and the handler is refused', () => {
    const rules = rulesWith();
    const handler = handlerOf(Controller, 'injectable');
    expect(rules.ruleOf(Controller, handler)).toBeUndefined();
    expect(rules.add(Controller, 'injectable', handler).problems).toEqual([
      "@OrgScoped({ resolve }) names Resolver, which no module provides: add it to the providers of the controller's module",
    ]);
    expect(rules.ruleOf(Controller, handler)).toBeUndefined();
  });

  it('warn once for each route about an organization that a request lacks', () => {
    const warn = jest.fn();
    const rules = rulesWith({ orgParam: 'tenant', warn });
    const without = (name: string) =>
      rules
        .ruleOf(Controller, handlerOf(Controller, name))
        ?.organizations.map((read) => read(undefined as never, { params: {} }, undefined as never));
    const line = (name: string, param: string) =>
      `@OrgScoped() on Controller.${name} refused a request like one for another organization: the route parameter "${param}" is absent: ` +
      'the path that was called does not have it. This is logged once per route';
    for (const _time of [1, 2]) expect(without('bare')).toEqual([{ orgCode: undefined }]);
    expect(without('param')).toEqual([{ orgCode: undefined }]);
    expect(warn.mock.calls).toEqual([[line('bare', 'tenant')], [line('param', 'id')]]);
  });

  it('need no log', () => {
    const [reader] = rulesWith().ruleOf(Controller, handlerOf(Controller, 'bare'))?.organizations ?? [];
    expect(reader?.(undefined as never, {}, undefined as never)).toEqual({ orgCode: undefined });
  });
});
