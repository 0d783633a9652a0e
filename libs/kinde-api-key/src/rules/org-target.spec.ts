import { checkOrganizationTarget, isResolverClass, type OrganizationTarget, type OrgResolver } from './org-target.js';

class Resolver implements OrgResolver {
  resolveOrgCode(): string {
    return 'org_a';
  }
}

class ResolverWithField implements OrgResolver {
  readonly resolveOrgCode = (): string => 'org_a';
}

abstract class AbstractResolver implements OrgResolver {
  abstract resolveOrgCode(): string;
}

/** What an ES5 compiler makes of a class. */
function Es5Resolver(): void {}
Es5Resolver.prototype = { resolveOrgCode: (): string => 'org_a' };

describe('checkOrganizationTarget', () => {
  it.each<[string, OrganizationTarget | undefined]>([
    ['nothing', undefined],
    ['a parameter', { param: 'id' }],
    ['a header', { header: 'X-Org' }],
    ['a query field', { query: 'org' }],
    ['a body field', { body: 'org' }],
    ['a parameter by the name of an inherited property', { param: 'constructor' }],
    ['a resolver class', { resolve: Resolver }],
    ['a resolver function', { resolve: () => null }],
    ['the key', { from: 'key' }],
  ])('accepts %s', (_case, target) => {
    expect(() => checkOrganizationTarget(target)).not.toThrow();
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a string', 'orgCode'],
    ['a string of one letter', 'a'],
    ['a number', 7],
    ['true', true],
    ['an empty object', {}],
    ['an array', ['param']],
    ['a class outside { resolve }', Resolver],
    ['a function outside { resolve }', (): string => 'org_a'],
    ['an unknown field', { cookie: 'org' }],
    ['an unknown field with a function', { cookie: (): string => 'org_a' }],
    ['an unknown field with the value key', { cookie: 'key' }],
    ['a class as a name', { header: Resolver }],
    ['two fields', { param: 'id', header: 'x-org' }],
    ['a field and a resolver', { param: 'id', resolve: Resolver }],
    ['an empty name', { param: '' }],
    ['a name that is not a string', { param: 1 }],
    ['an array of names', { param: ['id'] }],
    ['{ resolve } without a value', { resolve: undefined }],
    ['the instance of a resolver', { resolve: new Resolver() }],
    ['the name of a resolver', { resolve: 'Resolver' }],
    ['{ from } with another value than key', { from: 'user' }],
    ['an inherited field', Object.create({ param: 'id' })],
  ])('throws for %s and names the accepted forms', (_case, target) => {
    const check = (): void => checkOrganizationTarget(target as OrganizationTarget);
    expect(check).toThrow(TypeError);
    expect(check).toThrow(
      "@OrgScoped() takes nothing, or one of { param: 'name' }, { header: 'name' }, { query: 'name' }, { body: 'name' }, " +
        "{ arg: 'name' }, { resolve: a class or a function } and { from: 'key' }",
    );
  });
});

describe('isResolverClass', () => {
  it.each<[string, unknown]>([
    ['with a method', Resolver],
    ['with a function in a field', ResolverWithField],
    ['that inherits its method', class extends Resolver {}],
    ['that is abstract, as a token', AbstractResolver],
    ['without a name', class {}],
    ['that was compiled to ES5', Es5Resolver],
  ])('is true for a class %s', (_case, resolve) => {
    expect(isResolverClass(resolve as typeof Resolver)).toBe(true);
  });

  const methods = {
    method: function (this: void): string {
      return 'org_a';
    },
    classOf(this: void): string {
      return 'org_a';
    },
  };

  it.each<[string, unknown]>([
    ['an arrow', (): string => 'org_a'],
    ['an async arrow', async (): Promise<string> => 'org_a'],
    ['a function', methods.method],
    ['a method whose name starts with "class"', methods.classOf],
    ['a function that mentions a class', (): string => 'a class of users'],
    ['a bound function', methods.method.bind(undefined)],
  ])('is false for %s', (_case, resolve) => {
    expect(isResolverClass(resolve as () => string)).toBe(false);
  });
});
