import 'reflect-metadata';
import { ModulesContainer } from '@nestjs/core';
import type { ResolvedRateLimitOptions } from '../config/resolved-options.js';
import { AnyValidKey, PublicRoute, RequireScopes } from './access.decorators.js';
import { RateLimit, SkipRateLimit } from './rate-limit.decorators.js';
import { ProviderInstances } from '../handlers/provider-instances.js';
import { ResolverBinding } from './resolver-binding.js';
import { RouteRuleRegistry } from './route-rule-registry.js';

type Handler = (...args: unknown[]) => unknown;
type Owner = abstract new (...args: never[]) => object;

const OPTION: ResolvedRateLimitOptions = { limit: 100, windowMs: 60_000, headers: 'refusals' };

/** A limit that is recognized by its number. */
const limit = (number: number) => RateLimit({ limit: number, windowMs: 1_000 });

function rulesWith(rateLimit: ResolvedRateLimitOptions | null = OPTION, publicControllers: unknown[] = []) {
  return new RouteRuleRegistry(
    { orgParam: 'orgCode', publicControllers: new Set(publicControllers), rateLimit },
    new ResolverBinding(new ModulesContainer(), new ProviderInstances()),
  );
}

function handlerOf(owner: Owner, name: string): Handler {
  return (owner.prototype as Record<string, Handler>)[name] as Handler;
}

function problemsOf(owner: Owner, publicControllers: unknown[] = []): readonly string[] {
  return rulesWith(OPTION, publicControllers).add(owner, 'find', handlerOf(owner, 'find')).problems;
}

function limitOf(owner: Owner, name = 'find', rules = rulesWith()) {
  return rules.ruleOf(owner, handlerOf(owner, name))?.rateLimit;
}

/** Replaces the method by another function, and copies the metadata. */
const Traced: MethodDecorator = (_target, _property, descriptor) => {
  const holder = descriptor as unknown as { value: Handler };
  const original = holder.value;
  const traced: Handler = (...args) => original(...args);
  for (const key of Reflect.getMetadataKeys(original)) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, original), traced);
  }
  holder.value = traced;
};

@limit(2)
class Users {
  find(): void {}
  @limit(3)
  own(): void {}
  @SkipRateLimit()
  skipped(): void {}
}
class Plain {
  find(): void {}
}
@SkipRateLimit()
class Skipped {
  find(): void {}
  @limit(3)
  own(): void {}
}

describe('the rate limit of a route', () => {
  it('is that of the option without a decorator, in one scope for the whole API', () => {
    expect(limitOf(Plain)).toEqual({
      scope: 'default',
      policy: 'default',
      limit: 100,
      windowMs: 60_000,
      sendsHeadersOnSuccess: false,
    });
    expect(limitOf(Plain, 'find', rulesWith(null))).toBeNull();
  });

  it('is that of the class before the option, and of the method before the class', () => {
    expect(limitOf(Users)).toMatchObject({ limit: 2, windowMs: 1_000 });
    expect(limitOf(Users, 'own')).toMatchObject({ limit: 3 });
    expect(limitOf(Users, 'find', rulesWith(null))).toMatchObject({ limit: 2 });
  });

  it('is null with @SkipRateLimit(), unless a nearer @RateLimit() replaces it', () => {
    expect(limitOf(Users, 'skipped')).toBeNull();
    expect(limitOf(Skipped)).toBeNull();
    expect(limitOf(Skipped, 'own')).toMatchObject({ limit: 3 });
  });

  it('is that of the subclass, else of the nearest ancestor', () => {
    @limit(5)
    class Own extends Users {}
    class Inherited extends Own {}
    @SkipRateLimit()
    class Unlimited extends Own {}
    expect(limitOf(Own)).toMatchObject({ limit: 5 });
    expect(limitOf(Inherited)).toMatchObject({ limit: 5 });
    expect(limitOf(Unlimited)).toBeNull();
    expect(limitOf(Unlimited, 'own')).toMatchObject({ limit: 3 });
  });

  it('is that of the override, else of the overridden method', () => {
    class Silent extends Users {
      override own(): void {}
    }
    class Loud extends Silent {
      @limit(9)
      override own(): void {}
    }
    class Unlimited extends Silent {
      @SkipRateLimit()
      override own(): void {}
    }
    expect(limitOf(Silent, 'own')).toMatchObject({ limit: 3 });
    expect(limitOf(Loud, 'own')).toMatchObject({ limit: 9 });
    expect(limitOf(Unlimited, 'own')).toBeNull();
    expect(limitOf(Users, 'own')).toMatchObject({ limit: 3 });
  });

  it('survives decorators that wrap the method, and a replacement on the instance', () => {
    class Wrapped {
      @Traced
      @limit(1)
      above(): void {}
      @limit(1)
      @Traced
      below(): void {}
      @limit(1)
      replaced(): void {}
    }
    for (const name of ['above', 'below']) expect(limitOf(Wrapped, name)).toMatchObject({ limit: 1 });
    const rules = rulesWith();
    const handler = handlerOf(Wrapped, 'replaced').bind(new Wrapped()) as Handler;
    expect(rules.add(Wrapped, 'replaced', handler).rule.rateLimit).toMatchObject({ limit: 1 });
  });

  it('takes sendsHeadersOnSuccess from the option, for limits of decorators, too', () => {
    const always = rulesWith({ ...OPTION, headers: 'always' });
    expect([limitOf(Plain, 'find', always), limitOf(Users, 'own', always)]).toMatchObject([
      { sendsHeadersOnSuccess: true },
      { sendsHeadersOnSuccess: true },
    ]);
    expect(limitOf(Users, 'own')).toMatchObject({ sendsHeadersOnSuccess: false });
  });
});

describe('the scope of a rate limit', () => {
  /** Compiles a rule as the boot check does, for a route with these names. */
  function scopeOf(owner: Owner, name: string, ofMethod: string[], ofClass: string[] = [], rules = rulesWith()) {
    const prototype = owner.prototype as object;
    const inUse = { registered: owner, told: owner, prototype, routeNames: { ofMethod, ofClass } };
    return rules.add(owner, name, handlerOf(owner, name), inUse).rule.rateLimit;
  }

  it('is made from the paths of the route or of the routes of the class, whatever the class is called', () => {
    const another = () => {
      @limit(2)
      class Renamed {
        find(): void {}
        @limit(3)
        own(): void {}
      }
      return Renamed;
    };
    const ROUTES = ['GET /users', 'GET /users/own'];
    for (const owner of [Users, another()]) {
      expect(scopeOf(owner, 'own', ['GET /users/own'], ROUTES)).toMatchObject({
        scope: 'GET /users/own',
        policy: 'GET /users/own',
      });
      expect(scopeOf(owner, 'find', ['GET /users'], ROUTES)).toMatchObject({
        scope: 'class of GET /users',
      });
    }
  });

  it('has every path of the route in a fixed order, also of a class that several modules register', () => {
    const rules = rulesWith();
    scopeOf(Users, 'own', ['GET /v2/own', 'GET /b/own'], [], rules);
    expect(scopeOf(Users, 'own', ['GET /a/own', 'GET /b/own'], [], rules)?.scope).toBe(
      'GET /a/own, GET /b/own, GET /v2/own',
    );
  });

  it('is the name of the decorator, before any path', () => {
    class Named {
      @RateLimit({ limit: 1, windowMs: 1_000, name: 'the "export"' })
      find(): void {}
    }
    expect(scopeOf(Named, 'find', ['GET /named'])).toMatchObject({
      scope: 'the "export"',
      policy: 'the \\"export\\"',
    });
  });

  it('of a handler without a path has no class name: it is the name of the method', () => {
    expect([limitOf(Users, 'own'), limitOf(Users)]).toMatchObject([{ scope: 'own' }, { scope: 'class of find' }]);
  });

  it.each([
    ['GET /größe', 'GET /gr%C3%B6%C3%9Fe'],
    ['GET /:"a\\b"', 'GET /:\\"a\\\\b\\"'],
    ['GET /\ud800', 'GET /?'],
  ])('is a structured string in headers: %j', (name, policy) => {
    expect(scopeOf(Users, 'own', [name])).toMatchObject({ scope: name, policy });
  });
});

describe('@RateLimit()', () => {
  it('is not a decision about access, and demands nothing', () => {
    const rule = rulesWith().ruleOf(Users, handlerOf(Users, 'own'));
    expect(rule).toMatchObject({ isDecided: false, isPublic: false, access: { requiredScopes: [], needsUser: false } });
  });

  it('and @SkipRateLimit() on a method of a public class leave it public', () => {
    @PublicRoute()
    class Open {
      @SkipRateLimit()
      find(): void {}
    }
    expect(rulesWith().ruleOf(Open, handlerOf(Open, 'find'))).toMatchObject({ isPublic: true, rateLimit: null });
  });

  it('is a problem on a public route, on the class or on the method', () => {
    class BothOnMethod {
      @PublicRoute()
      @limit(1)
      find(): void {}
    }
    @PublicRoute()
    @limit(1)
    class BothOnClass {
      find(): void {}
    }
    @PublicRoute()
    class LimitOnMethod {
      @limit(1)
      find(): void {}
    }
    class Overridden extends BothOnMethod {
      override find(): void {}
    }
    for (const owner of [BothOnMethod, BothOnClass, LimitOnMethod, Overridden]) {
      expect(problemsOf(owner)).toEqual([
        expect.stringMatching(/^carries @RateLimit\(\{ limit: 1, windowMs: 1000 \}\) but is public: .* looks at none/),
      ]);
      expect(rulesWith().ruleOf(owner, handlerOf(owner, 'find'))).toBeUndefined();
    }
    expect(problemsOf(Users, [Users])).toHaveLength(1);
  });

  it('on a class applies to its other methods if one is public', () => {
    @limit(1)
    class Mixed {
      @PublicRoute()
      find(): void {}
      @RequireScopes('a')
      list(): void {}
    }
    @PublicRoute()
    @limit(1)
    class SkippedOnMethod {
      @SkipRateLimit()
      find(): void {}
      @AnyValidKey()
      list(): void {}
    }
    for (const owner of [Mixed, SkippedOnMethod]) {
      expect(problemsOf(owner)).toEqual([]);
      expect(limitOf(owner)).toBeNull();
      expect(limitOf(owner, 'list')).toMatchObject({ limit: 1 });
    }
  });

  it('is a problem beside another limit on one method or class, and its handler is refused', () => {
    class Stacked {
      @limit(1)
      @Traced
      @limit(2)
      find(): void {}
    }
    @limit(1)
    @SkipRateLimit()
    class Contradictory {
      find(): void {}
    }
    expect(problemsOf(Stacked)).toEqual([
      expect.stringMatching(/^carries .*limit: 1.* and .*limit: 2.* on one method/),
    ]);
    expect(problemsOf(Contradictory)).toEqual([
      expect.stringMatching(/ and @SkipRateLimit\(\) on one class: keep one/),
    ]);
    for (const owner of [Stacked, Contradictory]) {
      expect(rulesWith().ruleOf(owner, handlerOf(owner, 'find'))).toBeUndefined();
    }
  });
});
