import 'reflect-metadata';
import { ModulesContainer } from '@nestjs/core';
import { AnyValidKey, OrgScoped, PublicRoute, RequireScopes } from './access.decorators.js';
import { ResolverBinding } from './resolver-binding.js';
import { RouteRuleRegistry } from './route-rule-registry.js';

type Handler = (...args: unknown[]) => unknown;
type Owner = abstract new (...args: never[]) => object;

function rulesWith(options: { orgParam?: string; publicControllers?: unknown[] } = {}): RouteRuleRegistry {
  const { orgParam = 'orgCode', publicControllers = [] } = options;
  return new RouteRuleRegistry(
    { orgParam, publicControllers: new Set(publicControllers) },
    new ResolverBinding(new ModulesContainer()),
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

describe('the rule of a handler', () => {
  it('is compiled once, and found by class and function', () => {
    const rules = rulesWith();
    const rule = rules.ruleOf(First, handlerOf(First, 'find'));
    expect(rule).toMatchObject({ route: 'First.find', isDecided: true });
    expect(rules.ruleOf(First, handlerOf(First, 'find'))).toBe(rule);
  });

  it('differs between two subclasses that share the inherited function', () => {
    const rules = rulesWith();
    const shared = handlerOf(Base, 'find');
    expect(handlerOf(First, 'find')).toBe(handlerOf(Second, 'find'));
    expect(scopesOf(rules, First, shared)).toEqual(['first', 'find']);
    expect(scopesOf(rules, Second, shared)).toEqual(['second', 'find']);
    expect(scopesOf(rules, Base, shared)).toEqual(['find']);
    expect(scopesOf(rules, First, shared)).toEqual(['first', 'find']);
  });

  it('differs in the same way once both were added at boot', () => {
    const rules = rulesWith();
    const shared = handlerOf(Base, 'plain');
    rules.add(First, 'plain', shared);
    rules.add(Second, 'plain', shared);
    expect(scopesOf(rules, First, shared)).toEqual(['first']);
    expect(scopesOf(rules, Second, shared)).toEqual(['second']);
  });

  it('is undefined for a function that is nowhere on the class', () => {
    const rules = rulesWith();
    expect(rules.ruleOf(First, () => undefined)).toBeUndefined();
    expect(rules.ruleOf(Base, class {})).toBeUndefined();
  });

  it('is undefined for a handler of another class', () => {
    class Other {
      find(): void {}
    }
    expect(rulesWith().ruleOf(First, handlerOf(Other, 'find'))).toBeUndefined();
  });

  it('is undefined where it contradicts itself', () => {
    class Contradictory {
      @PublicRoute()
      @RequireScopes('a')
      find(): void {}
    }
    expect(rulesWith().ruleOf(Contradictory, handlerOf(Contradictory, 'find'))).toBeUndefined();
  });

  it('is undefined on a class without a prototype', () => {
    const arrow = (): void => {};
    expect(rulesWith().ruleOf(arrow, arrow)).toBeUndefined();
  });

  it('is found for a handler without a name, and for one with the name of another', () => {
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

  it('is found for a handler that a decorator has wrapped', () => {
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

  it('holds what an override inherits', () => {
    class Override extends First {
      override find(): void {}
    }
    expect(scopesOf(rulesWith(), Override, handlerOf(Override, 'find'))).toEqual(['first', 'find']);
  });

  it('says whether somebody decided', () => {
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

describe('a function that was put on the instance', () => {
  it('is known only after the boot has found it', () => {
    const rules = rulesWith();
    const replacement: Handler = () => undefined;
    expect(rules.ruleOf(First, replacement)).toBeUndefined();
    rules.add(First, 'find', replacement);
    expect(scopesOf(rules, First, replacement)).toEqual(['first', 'find']);
    expect(rules.ruleOf(Second, replacement)).toBeUndefined();
  });

  it('has the rules of every method that it stands for', () => {
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

  it('is contradictory where it stands for a public method and a guarded one', () => {
    class Stubbed {
      @PublicRoute()
      open(): void {}
      @RequireScopes('b')
      closed(): void {}
    }
    const stub: Handler = () => undefined;
    const rules = rulesWith();
    expect(rules.add(Stubbed, 'open', stub).problems).toEqual([]);
    expect(rules.add(Stubbed, 'closed', stub).problems).toEqual([
      expect.stringContaining('is public and required at once'),
    ]);
  });
});

describe('one function under two names of a class', () => {
  it('has the rules of both, at boot and without', () => {
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

describe('a controller that the app cannot edit', () => {
  class Foreign {
    find(): void {}
    @RequireScopes('a')
    guarded(): void {}
  }

  it('is public where the app says so, but for methods with rules of their own', () => {
    const rules = rulesWith({ publicControllers: [Foreign] });
    expect(rules.ruleOf(Foreign, handlerOf(Foreign, 'find'))).toMatchObject({ isPublic: true, isDecided: true });
    expect(rules.ruleOf(Foreign, handlerOf(Foreign, 'guarded'))).toMatchObject({ isPublic: false });
  });

  it('does not make a subclass public', () => {
    class Sub extends Foreign {}
    const rules = rulesWith({ publicControllers: [Foreign] });
    expect(rules.ruleOf(Sub, handlerOf(Sub, 'find'))).toMatchObject({ isPublic: false, isDecided: false });
  });

  it('cannot be public against a rule of its own class', () => {
    const rules = rulesWith({ publicControllers: [First] });
    expect(rules.add(First, 'find', handlerOf(First, 'find')).problems).toEqual([
      expect.stringContaining('stand on the class'),
    ]);
  });
});

describe('a source of the organization', () => {
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

  function claims(rules: RouteRuleRegistry, name: string): unknown[] | undefined {
    return rules
      .ruleOf(Controller, handlerOf(Controller, name))
      ?.organizations.map((source) => source(undefined as never, request, undefined as never));
  }

  it('is made of each kind of target', () => {
    const rules = rulesWith({ orgParam: 'tenant' });
    expect(claims(rules, 'bare')).toEqual([{ orgCode: 'org_of_tenant' }]);
    expect(claims(rules, 'param')).toEqual([{ orgCode: 'org_of_id' }]);
    expect(claims(rules, 'callback')).toEqual([{ orgCode: 'org_a' }]);
  });

  it('is not needed to compare nothing, but the key needs an organization then', () => {
    const rules = rulesWith();
    expect(claims(rules, 'ofKey')).toEqual([]);
    expect(rules.ruleOf(Controller, handlerOf(Controller, 'ofKey'))?.access.needsOrganization).toBe(true);
  });

  it('whose class nobody provides makes the handler unknown, and the boot say why', () => {
    const rules = rulesWith();
    const handler = handlerOf(Controller, 'injectable');
    expect(rules.ruleOf(Controller, handler)).toBeUndefined();
    expect(rules.add(Controller, 'injectable', handler).problems).toEqual([
      "@OrgScoped({ resolve }) names Resolver, which no module provides: add it to the providers of the controller's module",
    ]);
    expect(rules.ruleOf(Controller, handler)).toBeUndefined();
  });
});
