import 'reflect-metadata';
import {
  AnyValidKey,
  defineScopes,
  OrgScoped,
  PublicRoute,
  RequireAnyScope,
  RequireScopes,
  UserScoped,
} from './access.decorators.js';
import type { OrganizationTarget } from './org-target.js';
import { classParts, methodParts } from './rule-storage.js';

describe('every decorator', () => {
  it.each([
    ['RequireScopes', RequireScopes('a', 'b'), { kind: 'scopes', scopes: ['a', 'b'] }],
    ['RequireAnyScope', RequireAnyScope('a', 'b'), { kind: 'any-scope', scopes: ['a', 'b'] }],
    ['OrgScoped', OrgScoped(), { kind: 'organization', target: undefined }],
    ['OrgScoped with a target', OrgScoped({ param: 'id' }), { kind: 'organization', target: { param: 'id' } }],
    ['UserScoped', UserScoped(), { kind: 'user' }],
    ['AnyValidKey', AnyValidKey(), { kind: 'any-valid-key' }],
    ['PublicRoute', PublicRoute(), { kind: 'public' }],
  ])('says the same on a class and on a method: %s', (_name, decorate, part) => {
    @decorate
    class OnClass {}
    class OnMethod {
      @decorate
      find(): void {}
    }
    expect(classParts(OnClass)).toEqual([part]);
    expect(methodParts(OnMethod, 'find')).toEqual([part]);
    expect(classParts(OnMethod)).toEqual([]);
  });
});

describe('a decorator in a place that has no rule', () => {
  it.each([
    ['RequireScopes', RequireScopes('a')],
    ['RequireAnyScope', RequireAnyScope('a')],
    ['OrgScoped', OrgScoped()],
    ['UserScoped', UserScoped()],
    ['AnyValidKey', AnyValidKey()],
    ['PublicRoute', PublicRoute()],
  ])('stops the start and names itself: %s', (name, decorate) => {
    class Controller {
      static find(): void {}
    }
    expect(() => decorate(Controller, 'find', { value: Controller.find })).toThrow(
      `@${name}() goes on a class or an instance method, not on Controller.find`,
    );
  });
});

describe.each([
  ['RequireScopes', RequireScopes],
  ['RequireAnyScope', RequireAnyScope],
])('the scopes of @%s()', (name, decorator) => {
  it('are at least one, and the message names the cure', () => {
    expect(() => decorator()).toThrow(TypeError);
    expect(() => decorator()).toThrow(`@${name}() needs at least one scope; for "any valid key" use @AnyValidKey()`);
  });

  it.each(['', ' ', 'read users', 'read:users ', '"read:users"', 'back\\slash', 'tab\t', 'é', 'line\n'])(
    'are not %j',
    (scope) => {
      expect(() => decorator('read:users', scope)).toThrow(
        `@${name}() takes scopes like 'read:users', one text each, without spaces and quotes; it got ${JSON.stringify(scope)}`,
      );
    },
  );

  it.each([[null], [undefined], [7], [['read:users', 'write:users']], [{ scope: 'a' }]])('are not %j', (scope) => {
    expect(() => decorator(scope as unknown as string)).toThrow(TypeError);
  });

  it.each(['read:users', 'a', "!#$%&'()*+,-./0:;<=>?@A[]^_`a{|}~"])('may be %s, as RFC 6749 spells them', (scope) => {
    expect(() => decorator(scope)).not.toThrow();
  });

  it('cannot be changed afterwards', () => {
    const given = ['read:users'];
    class Controller {
      @decorator(...given)
      find(): void {}
    }
    given.push('write:users');
    const [part] = methodParts(Controller, 'find');
    expect(part).toMatchObject({ scopes: ['read:users'] });
    expect(Object.isFrozen(part && 'scopes' in part && part.scopes)).toBe(true);
  });
});

describe('OrgScoped', () => {
  it('refuses a target of another form when the class is defined', () => {
    expect(() => OrgScoped({ cookie: 'org' } as unknown as OrganizationTarget)).toThrow(
      '@OrgScoped() takes nothing, or one of',
    );
  });
});

describe('defineScopes', () => {
  const scopes = defineScopes(['read:users', 'write:users'] as const);

  it('gives decorators that say what the plain ones say', () => {
    class Controller {
      @scopes.RequireScopes('read:users', 'write:users')
      all(): void {}
      @scopes.RequireAnyScope('read:users', 'write:users')
      any(): void {}
    }
    expect(methodParts(Controller, 'all')).toEqual([{ kind: 'scopes', scopes: ['read:users', 'write:users'] }]);
    expect(methodParts(Controller, 'any')).toEqual([{ kind: 'any-scope', scopes: ['read:users', 'write:users'] }]);
  });

  it('does not compile a misspelt scope, and throws where types are off', () => {
    const message = "'read:user' is not among the scopes of defineScopes(): read:users, write:users";
    // @ts-expect-error -- the scope is misspelt
    expect(() => scopes.RequireScopes('read:user')).toThrow(message);
    // @ts-expect-error -- the scope is misspelt
    expect(() => scopes.RequireAnyScope('read:users', 'read:user')).toThrow(message);
  });

  it('keeps the types of a list without "as const"', () => {
    const { RequireScopes: RequireOneOf } = defineScopes(['a', 'b']);
    // @ts-expect-error -- the scope is not in the list
    expect(() => RequireOneOf('c')).toThrow(TypeError);
    expect(() => RequireOneOf('a', 'b')).not.toThrow();
  });

  it('refuses a misspelt list at once', () => {
    expect(() => defineScopes(['read users'])).toThrow("defineScopes() takes scopes like 'read:users'");
    expect(() => defineScopes([])).toThrow('defineScopes() needs at least one scope');
    expect(() => scopes.RequireScopes()).toThrow('@RequireScopes() needs at least one scope');
  });

  it('knows no scope by the name of an inherited property', () => {
    expect(() => scopes.RequireScopes('constructor' as 'read:users')).toThrow("'constructor' is not among the scopes");
  });
});
