import 'reflect-metadata';
import {
  AnyValidKey,
  defineScopes,
  KeysOnly,
  OrgScoped,
  PublicRoute,
  RequireAnyScope,
  RequireScopes,
  UserScoped,
} from './access.decorators.js';
import type { OrganizationTarget } from './org-target.js';
import { classMetadata, methodMetadata } from './rule-storage.js';

describe('access decorators', () => {
  it.each([
    ['RequireScopes', RequireScopes('a', 'b'), { kind: 'scopes', scopes: ['a', 'b'] }],
    ['RequireAnyScope', RequireAnyScope('a', 'b'), { kind: 'any-scope', scopes: ['a', 'b'] }],
    ['OrgScoped', OrgScoped(), { kind: 'organization', target: undefined }],
    ['OrgScoped with a target', OrgScoped({ param: 'id' }), { kind: 'organization', target: { param: 'id' } }],
    ['UserScoped', UserScoped(), { kind: 'user' }],
    ['KeysOnly', KeysOnly(), { kind: 'keys-only' }],
    ['AnyValidKey', AnyValidKey(), { kind: 'any-valid-key' }],
    ['PublicRoute', PublicRoute(), { kind: 'public' }],
  ])('store the same metadata on a class and on a method: %s', (_name, decorate, metadata) => {
    @decorate
    class OnClass {}
    class OnMethod {
      @decorate
      find(): void {}
    }
    expect(classMetadata(OnClass)).toEqual([metadata]);
    expect(methodMetadata(OnMethod, 'find')).toEqual([metadata]);
    expect(classMetadata(OnMethod)).toEqual([]);
  });
});

describe('access decorators on a static method', () => {
  it.each([
    ['RequireScopes', RequireScopes('a')],
    ['RequireAnyScope', RequireAnyScope('a')],
    ['OrgScoped', OrgScoped()],
    ['UserScoped', UserScoped()],
    ['KeysOnly', KeysOnly()],
    ['AnyValidKey', AnyValidKey()],
    ['PublicRoute', PublicRoute()],
  ])('throw an error that names the decorator and the method: %s', (name, decorate) => {
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
])('@%s()', (name, decorator) => {
  it('throws without a scope, and names @AnyValidKey() as the cure', () => {
    expect(() => decorator()).toThrow(TypeError);
    expect(() => decorator()).toThrow(`@${name}() needs at least one scope; for "any valid key" use @AnyValidKey()`);
  });

  it.each(['', ' ', 'read users', 'read:users ', '"read:users"', 'back\\slash', 'tab\t', 'é', 'line\n'])(
    'throws for the scope %j',
    (scope) => {
      expect(() => decorator('read:users', scope)).toThrow(
        `@${name}() takes scopes like 'read:users', one text each, without spaces and quotes; it got ${JSON.stringify(scope)}`,
      );
    },
  );

  it.each([[null], [undefined], [7], [['read:users', 'write:users']], [{ scope: 'a' }]])(
    'throws for %j as a scope',
    (scope) => {
      expect(() => decorator(scope as unknown as string)).toThrow(TypeError);
    },
  );

  it.each(['read:users', 'a', "!#$%&'()*+,-./0:;<=>?@A[]^_`a{|}~"])(
    'accepts the scope %s, which RFC 6749 allows',
    (scope) => {
      expect(() => decorator(scope)).not.toThrow();
    },
  );

  it('keeps its scopes when the given list changes, and freezes them', () => {
    const given = ['read:users'];
    class Controller {
      @decorator(...given)
      find(): void {}
    }
    given.push('write:users');
    const [metadata] = methodMetadata(Controller, 'find');
    expect(metadata).toMatchObject({ scopes: ['read:users'] });
    expect(Object.isFrozen(metadata && 'scopes' in metadata && metadata.scopes)).toBe(true);
  });
});

describe('@OrgScoped()', () => {
  it('throws for a target of another form when the class is defined', () => {
    expect(() => OrgScoped({ cookie: 'org' } as unknown as OrganizationTarget)).toThrow(
      '@OrgScoped() takes nothing, or one of',
    );
  });
});

describe('defineScopes()', () => {
  const scopes = defineScopes(['read:users', 'write:users'] as const);

  it('returns decorators that store the same metadata as the plain ones', () => {
    class Controller {
      @scopes.RequireScopes('read:users', 'write:users')
      all(): void {}
      @scopes.RequireAnyScope('read:users', 'write:users')
      any(): void {}
    }
    expect(methodMetadata(Controller, 'all')).toEqual([{ kind: 'scopes', scopes: ['read:users', 'write:users'] }]);
    expect(methodMetadata(Controller, 'any')).toEqual([{ kind: 'any-scope', scopes: ['read:users', 'write:users'] }]);
  });

  it('rejects a misspelt scope when compiled, and throws for it at run time', () => {
    const message = "'read:user' is not among the scopes of defineScopes(): read:users, write:users";
    // @ts-expect-error -- the scope is misspelt
    expect(() => scopes.RequireScopes('read:user')).toThrow(message);
    // @ts-expect-error -- the scope is misspelt
    expect(() => scopes.RequireAnyScope('read:users', 'read:user')).toThrow(message);
  });

  it('types a list without "as const"', () => {
    const { RequireScopes: RequireOneOf } = defineScopes(['a', 'b']);
    // @ts-expect-error -- the scope is not in the list
    expect(() => RequireOneOf('c')).toThrow(TypeError);
    expect(() => RequireOneOf('a', 'b')).not.toThrow();
  });

  it('throws for a misspelt or empty list at once', () => {
    expect(() => defineScopes(['read users'])).toThrow("defineScopes() takes scopes like 'read:users'");
    expect(() => defineScopes([])).toThrow('defineScopes() needs at least one scope');
    expect(() => scopes.RequireScopes()).toThrow('@RequireScopes() needs at least one scope');
  });

  it('throws for a scope with the name of an inherited property', () => {
    expect(() => scopes.RequireScopes('constructor' as 'read:users')).toThrow("'constructor' is not among the scopes");
  });
});
