import 'reflect-metadata';
import { Controller, Scope, type ExecutionContext, type Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import fc from 'fast-check';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import { OrgScoped } from './access.decorators.js';
import type { HttpRequest } from './http-request.js';
import { requestOrgReader, resolvedOrgOf, type OrgReader } from './org-reader.js';
import type { OrganizationTarget, OrgResolution, OrgResolver } from './org-target.js';
import { ProviderInstances } from '../handlers/provider-instances.js';
import { ResolverBinding } from './resolver-binding.js';
import { RouteRuleRegistry } from './route-rule-registry.js';

const CONTEXT = { getType: () => 'http' } as ExecutionContext;
const API_KEY = { keyId: 'api_key_1', orgCode: 'org_a' } as VerifiedApiKey;

/** Reads as the guard does: at once, or with a promise where the reader returns one. */
function read(reader: OrgReader, request: HttpRequest = {}) {
  const resolution = reader(CONTEXT, request, API_KEY);
  const isPromise = typeof (resolution as PromiseLike<OrgResolution> | null | undefined)?.then === 'function';
  return isPromise ? Promise.resolve(resolution).then(resolvedOrgOf) : resolvedOrgOf(resolution as OrgResolution);
}

const FIELDS = [
  ['param', 'params'],
  ['query', 'query'],
  ['body', 'body'],
  ['header', 'headers'],
  ['arg', 'args'],
] as const;

describe.each(FIELDS)('@OrgScoped({ %s })', (kind, field) => {
  const readField = (name: string, record: unknown) =>
    read(requestOrgReader({ [kind]: name } as { param: string }), { [field]: record });

  it('reads the value as sent, synchronously', () => {
    expect(readField('org', { org: 'org_a', other: 'org_b' })).toEqual({ orgCode: 'org_a' });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'org'],
    ['a number', 7],
    ['an object without the field', { other: 'org_a' }],
    ['an object that inherits the field', Object.create({ org: 'org_a' }) as object],
    ['a nested field', { data: { org: 'org_a' } }],
  ])('reads undefined from %s', (_case, record) => {
    expect(readField('org', record)).toEqual({ orgCode: undefined });
  });

  it.each(['constructor', '__proto__', 'tostring', 'hasownproperty', 'valueof'])(
    'reads undefined for the name %s',
    (name) => {
      expect(readField(name, {})).toEqual({ orgCode: undefined });
      expect(readField(name, Object.create(null))).toEqual({ orgCode: undefined });
    },
  );

  it.each([
    [['org_a']],
    [['org_a', 'org_b']],
    [{ orgCode: 'org_a' }],
    [{ toString: () => 'org_a' }],
    [7],
    [null],
    [''],
  ])('returns a value of another shape unchanged, for the comparison to refuse: %j', (value) => {
    expect(readField('org', { org: value })).toEqual({ orgCode: value });
  });

  it('never throws, whatever the shape of the request', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (record, name) => {
        expect(readField(name, record)).toHaveProperty('orgCode');
      }),
    );
  });

  it('ignores the other fields of the request', () => {
    const everywhere = Object.fromEntries(FIELDS.map(([, other]) => [other, { org: `org_of_${other}` }]));
    expect(read(requestOrgReader({ [kind]: 'org' } as { param: string }), everywhere)).toEqual({
      orgCode: `org_of_${field}`,
    });
  });
});

describe('the warning about an absent organization', () => {
  const BODY_NOT_PARSED =
    'the body is not parsed yet, so its field "org" is absent: guards run before interceptors such as FileInterceptor, which parse ' +
    'multipart bodies, or no body parser knows its Content-Type. Read the organization from the path, a header or a resolver instead';

  function warningsOf(target: Parameters<typeof requestOrgReader>[0], ...requests: HttpRequest[]): string[] {
    const warnings: string[] = [];
    const reader = requestOrgReader(target, (message) => warnings.push(message));
    for (const request of requests) void reader(CONTEXT, request, API_KEY);
    return warnings;
  }

  it.each([
    [{ param: 'org' }, 'the route parameter "org" is absent: the path that was called does not have it'],
    [{ query: 'org' }, 'the query parameter "org" is absent: the client did not send it'],
    [{ header: 'X-Org' }, 'the header "X-Org" is absent: the client did not send it, or a proxy drops it'],
    [{ body: 'org' }, 'the body has no field "org" of its own'],
  ])('names what %j did not find, and why that usually is', (target, message) => {
    const other = { other: 'org_a' };
    expect(warningsOf(target, { params: other, query: other, headers: other, body: other })).toEqual([message]);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['an empty object', {}],
    ['a text', 'org'],
    ['a function with fields', Object.assign(() => undefined, { other: 1 })],
  ])('says that the body is not parsed if it is %s', (_case, body) => {
    expect(warningsOf({ body: 'org' }, { body })).toEqual([BODY_NOT_PARSED]);
  });

  it('comes once, however many requests lack the value, also after one that has it', () => {
    const present = { params: { org: 'org_a' } };
    expect(warningsOf({ param: 'org' }, present, {}, present, {}, {})).toHaveLength(1);
  });

  it.each([['org_a'], [null], ['']])('does not come for the value %j', (org) => {
    expect(warningsOf({ param: 'org' }, { params: { org } })).toEqual([]);
  });
});

describe('the name in a target', () => {
  it('is case-insensitive for a header, because Node lower-cases header names', () => {
    expect(read(requestOrgReader({ header: 'X-Org-Code' }), { headers: { 'x-org-code': 'org_a' } })).toEqual({
      orgCode: 'org_a',
    });
  });

  it('is case-sensitive for a parameter', () => {
    expect(read(requestOrgReader({ param: 'orgCode' }), { params: { orgcode: 'org_a' } })).toEqual({
      orgCode: undefined,
    });
  });

  it('may be __proto__ if a JSON body has such an own field', () => {
    const body = JSON.parse('{ "__proto__": "org_a" }') as unknown;
    expect(read(requestOrgReader({ body: '__proto__' }), { body })).toEqual({ orgCode: 'org_a' });
  });
});

const RESOLUTIONS: readonly [string, unknown, unknown][] = [
  ['a string', 'org_a', { orgCode: 'org_a' }],
  ['an empty string', '', { orgCode: '' }],
  ['null', null, { orgCode: null }],
  ['undefined', undefined, { orgCode: undefined }],
  [
    'an organization with its resource',
    { orgCode: 'org_a', resource: 'user 7' },
    { orgCode: 'org_a', resource: 'user 7' },
  ],
  ['an organization alone', { orgCode: 'org_a' }, { orgCode: 'org_a', resource: undefined }],
  ['an array', ['org_a'], { orgCode: undefined, resource: undefined }],
  ['an object of another shape', { code: 'org_a' }, { orgCode: undefined, resource: undefined }],
  ['a number', 7, { orgCode: 7 }],
  ['true', true, { orgCode: true }],
];

@Controller()
class Users {
  find(): void {}
}

class Resolver implements OrgResolver {
  resolveOrgCode(): OrgResolution {
    return null;
  }
}

/** Returns the only reader of a rule, as the registry compiles it. */
function readerOf(target: OrganizationTarget, app?: TestingModule): OrgReader {
  class Orders extends Users {
    @OrgScoped(target)
    override find(): void {}
  }
  const modules = app?.get(ModulesContainer) ?? new ModulesContainer();
  const options = { orgParam: 'orgCode', publicControllers: new Set(), rateLimit: null };
  const rules = new RouteRuleRegistry(options, new ResolverBinding(modules, new ProviderInstances()));
  const [reader] = rules.ruleOf(Orders, handlerOf(Orders))?.organizations ?? [];
  if (!reader) throw new Error('the rule has no reader');
  return reader;
}

function handlerOf(owner: typeof Users): (...args: unknown[]) => unknown {
  return (owner.prototype as unknown as { readonly find: () => unknown }).find;
}

async function classReader(resolver: Provider): Promise<OrgReader> {
  const app = await Test.createTestingModule({ controllers: [Users], providers: [resolver] }).compile();
  return readerOf({ resolve: Resolver }, app);
}

describe.each([
  ['a function', async (resolve: () => unknown) => readerOf({ resolve: resolve as () => OrgResolution })],
  [
    'a class with a ready instance',
    (resolve: () => unknown) => classReader({ provide: Resolver, useValue: { resolveOrgCode: resolve } }),
  ],
])('resolver that is %s', (_name, readerFor) => {
  it.each(RESOLUTIONS)('is read synchronously when it returns %s', async (_case, answer, expected) => {
    expect(read(await readerFor(() => answer))).toStrictEqual(expected);
  });

  it.each(RESOLUTIONS)('is read with a promise when it promises %s', async (_case, answer, expected) => {
    const resolved = read(await readerFor(async () => answer));
    expect(resolved).toBeInstanceOf(Promise);
    expect(await resolved).toStrictEqual(expected);
  });

  it('may return a thenable of another library', async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- a promise of another library is what is tested
    const thenable = { then: (done: (value: unknown) => void) => done({ orgCode: 'org_a', resource: 7 }) };
    const resolved = read(await readerFor(() => thenable));
    expect(resolved).toBeInstanceOf(Promise);
    expect(await resolved).toEqual({ orgCode: 'org_a', resource: 7 });
  });

  it('propagates errors and rejections', async () => {
    const failure = new Error('no such user');
    const throwing = await readerFor(() => {
      throw failure;
    });
    expect(() => read(throwing)).toThrow(failure);
    await expect(read(await readerFor(() => Promise.reject(failure)))).rejects.toBe(failure);
  });

  it('is called with the context and the verified key', async () => {
    const resolve = jest.fn(() => 'org_a');
    await read(await readerFor(resolve));
    expect(resolve.mock.calls).toEqual([[CONTEXT, API_KEY]]);
  });
});

describe('resolver that is a class', () => {
  it('is called on its own instance', async () => {
    class Own extends Resolver {
      readonly orgCode = 'org_of_this';
      override resolveOrgCode(): string {
        return this.orgCode;
      }
    }
    expect(read(await classReader({ provide: Resolver, useClass: Own }))).toEqual({ orgCode: 'org_of_this' });
  });
});

describe('resolver that is built for each request', () => {
  const perRequest = (build: () => OrgResolver) =>
    classReader({ provide: Resolver, useFactory: build, scope: Scope.REQUEST });

  it('is awaited', async () => {
    const resolved = read(await perRequest(() => ({ resolveOrgCode: () => 'org_a' })));
    expect(resolved).toBeInstanceOf(Promise);
    expect(await resolved).toEqual({ orgCode: 'org_a' });
  });

  it('may return a promise, and is called with the context and the verified key', async () => {
    const resolve = jest.fn(async () => ({ orgCode: 'org_a', resource: 7 }));
    expect(await read(await perRequest(() => ({ resolveOrgCode: resolve })))).toEqual({
      orgCode: 'org_a',
      resource: 7,
    });
    expect(resolve.mock.calls).toEqual([[CONTEXT, API_KEY]]);
  });

  it('rejects if it cannot be built', async () => {
    const failure = new Error('cannot be built');
    const reader = await perRequest(() => {
      throw failure;
    });
    await expect(read(reader)).rejects.toBe(failure);
  });
});

describe('resolvedOrgOf()', () => {
  it.each([
    ['an empty object', {}],
    ['an object that inherits its fields', Object.create({ orgCode: 'org_a', resource: 'x' }) as object],
  ])('ignores inherited fields: %s', (_case, resolution) => {
    Object.assign(Object.prototype, { orgCode: 'org_a', resource: 'polluted' });
    try {
      expect(resolvedOrgOf(resolution as OrgResolution)).toStrictEqual({ orgCode: undefined, resource: undefined });
    } finally {
      Reflect.deleteProperty(Object.prototype, 'orgCode');
      Reflect.deleteProperty(Object.prototype, 'resource');
    }
  });
});
