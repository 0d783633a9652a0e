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
  ])('takes %s', (_case, target) => {
    expect(() => checkOrganizationTarget(target)).not.toThrow();
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a text', 'orgCode'],
    ['a text of one letter', 'a'],
    ['a number', 7],
    ['true', true],
    ['an empty object', {}],
    ['a list', ['param']],
    ['a class without its field', Resolver],
    ['a function without its field', (): string => 'org_a'],
    ['an unknown place', { cookie: 'org' }],
    ['two places', { param: 'id', header: 'x-org' }],
    ['a place and a resolver', { param: 'id', resolve: Resolver }],
    ['an empty name', { param: '' }],
    ['a name that is no text', { param: 1 }],
    ['a list of names', { param: ['id'] }],
    ['no resolver', { resolve: undefined }],
    ['the instance of a resolver', { resolve: new Resolver() }],
    ['the name of a resolver', { resolve: 'Resolver' }],
    ['another origin than the key', { from: 'user' }],
    ['an inherited field', Object.create({ param: 'id' })],
  ])('refuses %s, and names the forms', (_case, target) => {
    const check = (): void => checkOrganizationTarget(target as OrganizationTarget);
    expect(check).toThrow(TypeError);
    expect(check).toThrow(
      "@OrgScoped() takes nothing, or one of { param: 'name' }, { header: 'name' }, { query: 'name' }, { body: 'name' }, " +
        "{ resolve: a class or a function } and { from: 'key' }",
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
    ['that a compiler made a function of', Es5Resolver],
  ])('knows a class %s', (_case, resolve) => {
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
    ['a method whose name starts like the keyword', methods.classOf],
    ['a bound function', methods.method.bind(undefined)],
  ])('knows %s for a function', (_case, resolve) => {
    expect(isResolverClass(resolve as () => string)).toBe(false);
  });
});
