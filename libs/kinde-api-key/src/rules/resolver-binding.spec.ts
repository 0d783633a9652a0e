import 'reflect-metadata';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Scope,
  type DynamicModule,
  type ModuleMetadata,
  type Type,
} from '@nestjs/common';
import { ContextIdFactory, type HostComponentInfo, ModulesContainer, REQUEST } from '@nestjs/core';
import { REQUEST_CONTEXT_ID } from '@nestjs/core/internal';
import { Test } from '@nestjs/testing';
import type { HttpRequest } from './http-request.js';
import type { OrgResolver } from './org-target.js';
import { ProviderInstances } from '../handlers/provider-instances.js';
import { ResolverBinding } from './resolver-binding.js';

@Controller()
class Users {
  @Get()
  find(): void {}
}

@Injectable()
class Resolver implements OrgResolver {
  constructor(@Inject('name') readonly name: string) {}
  resolveOrgCode(): string {
    return this.name;
  }
}

function named(name: string): ModuleMetadata['providers'] {
  return [Resolver, { provide: 'name', useValue: name }];
}

/** A module with this name, whose resolver returns it. */
function moduleWith(name: string, metadata: ModuleMetadata = {}, extras: Partial<DynamicModule> = {}): DynamicModule {
  class Feature {}
  Object.defineProperty(Feature, 'name', { value: name });
  Module({})(Feature);
  return { module: Feature, providers: named(name) ?? [], ...metadata, ...extras };
}

async function bindingIn(metadata: ModuleMetadata): Promise<ResolverBinding> {
  const app = await Test.createTestingModule(metadata).compile();
  return new ResolverBinding(app.get(ModulesContainer), new ProviderInstances());
}

/** Returns what the resolver finds, or what is wrong with it. */
async function orgCodeOf(binding: ResolverBinding, resolver: Type<OrgResolver>, request: HttpRequest = {}) {
  const reader = binding.bind(Users, resolver);
  return typeof reader === 'string' ? reader : reader(undefined as never, request, undefined as never);
}

describe('ResolverBinding finds a resolver', () => {
  it('in the controller’s own module first', async () => {
    const imports = [moduleWith('imported', { exports: [Resolver] })];
    const feature: DynamicModule = moduleWith('own', { imports, controllers: [Users] });
    expect(await orgCodeOf(await bindingIn({ imports: [moduleWith('elsewhere'), feature] }), Resolver)).toBe('own');
  });

  it('in the module of its own controller, whatever the modules of other controllers provide', async () => {
    @Controller()
    class Others {}
    const imports = [moduleWith('other', { controllers: [Others] }), moduleWith('own', { controllers: [Users] })];
    expect(await orgCodeOf(await bindingIn({ imports }), Resolver)).toBe('own');
  });

  it('in the imports of that module before the rest of the app', async () => {
    const imported = moduleWith('imported', { exports: [Resolver] });
    const feature = moduleWith('feature', { providers: [], imports: [imported], controllers: [Users] });
    expect(await orgCodeOf(await bindingIn({ imports: [moduleWith('elsewhere'), feature] }), Resolver)).toBe(
      'imported',
    );
  });

  it('in a module that an import re-exports', async () => {
    const inner = moduleWith('inner', { exports: [Resolver] });
    const outer = moduleWith('outer', { providers: [], imports: [inner], exports: [inner] });
    const feature = moduleWith('feature', { providers: [], imports: [outer], controllers: [Users] });
    expect(await orgCodeOf(await bindingIn({ imports: [moduleWith('elsewhere'), feature] }), Resolver)).toBe('inner');
  });

  it('in the last import, after two that re-export the same module', async () => {
    const empty = moduleWith('empty', { providers: [] });
    const [left, right] = ['left', 'right'].map((name) =>
      moduleWith(name, { providers: [], imports: [empty], exports: [empty] }),
    ) as [DynamicModule, DynamicModule];
    const last = moduleWith('last', { exports: [Resolver] });
    const feature = moduleWith('feature', { providers: [], imports: [left, right, last], controllers: [Users] });
    expect(await orgCodeOf(await bindingIn({ imports: [moduleWith('elsewhere'), feature] }), Resolver)).toBe('last');
  });

  it('in a global module', async () => {
    const everywhere = moduleWith('everywhere', { exports: [Resolver] }, { global: true });
    const imports = [moduleWith('elsewhere'), everywhere];
    expect(await orgCodeOf(await bindingIn({ imports, controllers: [Users] }), Resolver)).toBe('everywhere');
  });

  it('anywhere in the app, if only one module provides it', async () => {
    expect(
      await orgCodeOf(await bindingIn({ imports: [moduleWith('elsewhere')], controllers: [Users] }), Resolver),
    ).toBe('elsewhere');
  });

  it('although modules import each other', async () => {
    class Left {}
    class Right {}
    Module({ imports: [Right] })(Left);
    Module({ imports: [{ module: Left }], controllers: [Users] })(Right);
    expect(await orgCodeOf(await bindingIn({ imports: [Right, moduleWith('elsewhere')] }), Resolver)).toBe('elsewhere');
  });

  it('in the import that two modules with the same controller share', async () => {
    const shared = moduleWith('shared', { exports: [Resolver] });
    const imports = ['one', 'two'].map((name) =>
      moduleWith(name, { providers: [], imports: [shared], controllers: [Users] }),
    );
    expect(await orgCodeOf(await bindingIn({ imports }), Resolver)).toBe('shared');
  });
});

describe('ResolverBinding reports a resolver', () => {
  it('that is not provided by any module', async () => {
    expect(await orgCodeOf(await bindingIn({ controllers: [Users] }), Resolver)).toBe(
      "@OrgScoped({ resolve }) names Resolver, which no module provides: add it to the providers of the controller's module",
    );
  });

  it('that an import does not export, and another module provides, too', async () => {
    const feature = moduleWith('feature', { providers: [], imports: [moduleWith('private')], controllers: [Users] });
    expect(await orgCodeOf(await bindingIn({ imports: [feature, moduleWith('elsewhere')] }), Resolver)).toBe(
      "@OrgScoped({ resolve }) names Resolver, which several modules provide (private, elsewhere): add it to the providers of the controller's module",
    );
  });

  it('that an import does not re-export, and another module provides, too', async () => {
    const inner = moduleWith('inner', { exports: [Resolver] });
    const outer = moduleWith('outer', { providers: [], imports: [inner] });
    const feature = moduleWith('feature', { providers: [], imports: [outer], controllers: [Users] });
    expect(await orgCodeOf(await bindingIn({ imports: [moduleWith('elsewhere'), feature] }), Resolver)).toContain(
      'several modules provide (elsewhere, inner)',
    );
  });

  it('that differs between two modules with the same controller', async () => {
    const imports = [moduleWith('one', { controllers: [Users] }), moduleWith('two', { controllers: [Users] })];
    expect(await orgCodeOf(await bindingIn({ imports }), Resolver)).toContain('several modules provide (one, two)');
  });
});

describe('the reader of a resolver', () => {
  it('calls the same instance synchronously for every request, if the resolver is a singleton', async () => {
    @Injectable()
    class Counting implements OrgResolver {
      #calls = 0;
      resolveOrgCode(): string {
        this.#calls += 1;
        return `call ${this.#calls}`;
      }
    }
    const reader = (await bindingIn({ controllers: [Users], providers: [Counting] })).bind(Users, Counting);
    const read = typeof reader === 'string' ? () => reader : reader;
    const answers = [{}, {}].map((request) => read(undefined as never, request, undefined as never));
    expect(answers).toEqual(['call 1', 'call 2']);
  });

  @Injectable({ scope: Scope.REQUEST })
  class PerRequest implements OrgResolver {
    static made = 0;
    constructor(@Inject(REQUEST) readonly request: HttpRequest & { readonly org?: string }) {
      PerRequest.made += 1;
    }
    resolveOrgCode(): string | undefined {
      return this.request.org;
    }
  }

  it('builds a request-scoped resolver once for each request', async () => {
    const binding = await bindingIn({ controllers: [Users], providers: [PerRequest] });
    PerRequest.made = 0;
    const first = { org: 'org_a' } as HttpRequest;
    const second = { org: 'org_b' } as HttpRequest;
    expect(await orgCodeOf(binding, PerRequest, first)).toBe('org_a');
    expect(await orgCodeOf(binding, PerRequest, second)).toBe('org_b');
    expect(await orgCodeOf(binding, PerRequest, first)).toBe('org_a');
    expect(PerRequest.made).toBe(2);
  });

  it('builds a request-scoped resolver in the context that Nest attached to the request', async () => {
    const app = await Test.createTestingModule({ controllers: [Users], providers: [PerRequest] }).compile();
    const binding = new ResolverBinding(app.get(ModulesContainer), new ProviderInstances());
    const request = { org: 'org_a' } as HttpRequest;
    const contextId = ContextIdFactory.create();
    app.registerRequestByContextId(request, contextId);
    Object.defineProperty(request, REQUEST_CONTEXT_ID, { value: contextId });
    PerRequest.made = 0;
    expect(await orgCodeOf(binding, PerRequest, request)).toBe('org_a');
    expect(await app.resolve(PerRequest, contextId)).toMatchObject({ request });
    expect(PerRequest.made).toBe(1);
  });

  it('builds a resolver that depends on a request-scoped provider for each request', async () => {
    @Injectable()
    class Dependent implements OrgResolver {
      constructor(@Inject(PerRequest) private readonly inner: PerRequest) {}
      resolveOrgCode(): string | undefined {
        return this.inner.resolveOrgCode();
      }
    }
    const binding = await bindingIn({ controllers: [Users], providers: [PerRequest, Dependent] });
    expect(await orgCodeOf(binding, Dependent, { org: 'org_a' } as HttpRequest)).toBe('org_a');
    expect(await orgCodeOf(binding, Dependent, { org: 'org_b' } as HttpRequest)).toBe('org_b');
  });

  it('resolves a transient resolver', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient implements OrgResolver {
      resolveOrgCode(): string {
        return 'org_a';
      }
    }
    const binding = await bindingIn({ controllers: [Users], providers: [Transient] });
    expect(await orgCodeOf(binding, Transient)).toBe('org_a');
  });

  describe('of a durable resolver', () => {
    @Injectable({ scope: Scope.REQUEST, durable: true })
    class Durable implements OrgResolver {
      constructor(@Inject(REQUEST) readonly tenant: { readonly org?: string }) {}
      resolveOrgCode(): string | undefined {
        return this.tenant.org;
      }
    }

    afterEach(() => ContextIdFactory.apply(undefined as never));

    it('injects the payload of the tenant', async () => {
      const tenants = new Map<unknown, ReturnType<typeof ContextIdFactory.create>>();
      ContextIdFactory.apply({
        attach: (contextId, request: { org?: string }) => {
          const tenantId = tenants.get(request.org) ?? ContextIdFactory.create();
          tenants.set(request.org, tenantId);
          return {
            resolve: (info: HostComponentInfo) => (info.isTreeDurable ? tenantId : contextId),
            payload: { org: request.org },
          };
        },
      });
      const binding = await bindingIn({ controllers: [Users], providers: [Durable] });
      expect(await orgCodeOf(binding, Durable, { org: 'org_a' } as HttpRequest)).toBe('org_a');
      expect(await orgCodeOf(binding, Durable, { org: 'org_b' } as HttpRequest)).toBe('org_b');
    });

    it('injects the request if the app has not set a strategy for tenants', async () => {
      const binding = await bindingIn({ controllers: [Users], providers: [Durable] });
      expect(await orgCodeOf(binding, Durable, { org: 'org_a' } as HttpRequest)).toBe('org_a');
    });
  });
});
