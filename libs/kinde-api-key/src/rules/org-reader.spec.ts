import type { ExecutionContext } from '@nestjs/common';
import fc from 'fast-check';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { HttpRequest } from './http-request.js';
import { functionOrgReader, requestOrgReader, resolvedOrgOf, resolverOrgReader, type OrgReader } from './org-reader.js';
import type { OrgResolution } from './org-target.js';

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

describe.each([
  ['a function', (resolve: () => unknown) => functionOrgReader(resolve as () => OrgResolution)],
  [
    'a class with a ready instance',
    (resolve: () => unknown) => resolverOrgReader(() => ({ resolveOrgCode: resolve as () => OrgResolution })),
  ],
])('resolver that is %s', (_name, readerOf) => {
  it.each(RESOLUTIONS)('is read synchronously when it returns %s', (_case, answer, expected) => {
    expect(read(readerOf(() => answer))).toStrictEqual(expected);
  });

  it.each(RESOLUTIONS)('is read with a promise when it promises %s', async (_case, answer, expected) => {
    const resolved = read(readerOf(async () => answer));
    expect(resolved).toBeInstanceOf(Promise);
    expect(await resolved).toStrictEqual(expected);
  });

  it('may return a thenable of another library', async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- a promise of another library is what is tested
    const thenable = { then: (done: (value: unknown) => void) => done({ orgCode: 'org_a', resource: 7 }) };
    const resolved = read(readerOf(() => thenable));
    expect(resolved).toBeInstanceOf(Promise);
    expect(await resolved).toEqual({ orgCode: 'org_a', resource: 7 });
  });

  it('propagates errors and rejections', async () => {
    const failure = new Error('no such user');
    expect(() =>
      read(
        readerOf(() => {
          throw failure;
        }),
      ),
    ).toThrow(failure);
    await expect(read(readerOf(() => Promise.reject(failure)))).rejects.toBe(failure);
  });
});

describe('resolveOrgCode()', () => {
  it('is called with the context and the verified key', async () => {
    const resolve = jest.fn(() => 'org_a');
    await read(functionOrgReader(resolve));
    await read(resolverOrgReader(() => ({ resolveOrgCode: resolve })));
    expect(resolve.mock.calls).toEqual([
      [CONTEXT, API_KEY],
      [CONTEXT, API_KEY],
    ]);
  });

  it('is called on its own instance', () => {
    class Resolver {
      readonly orgCode = 'org_of_this';
      resolveOrgCode(): string {
        return this.orgCode;
      }
    }
    expect(read(resolverOrgReader(() => new Resolver()))).toEqual({ orgCode: 'org_of_this' });
  });
});

describe('resolver that is built for each request', () => {
  const request: HttpRequest = { params: {} };

  it('is built from the request and awaited', async () => {
    const handle = jest.fn(async () => ({ resolveOrgCode: () => 'org_a' }));
    const resolved = read(resolverOrgReader(handle), request);
    expect(resolved).toBeInstanceOf(Promise);
    expect(await resolved).toEqual({ orgCode: 'org_a' });
    expect(handle).toHaveBeenCalledWith(request);
  });

  it('may return a promise', async () => {
    const reader = resolverOrgReader(async () => ({ resolveOrgCode: async () => ({ orgCode: 'org_a', resource: 7 }) }));
    expect(await read(reader, request)).toEqual({ orgCode: 'org_a', resource: 7 });
  });

  it('rejects if it cannot be built', async () => {
    const failure = new Error('cannot be built');
    await expect(read(resolverOrgReader(() => Promise.reject(failure)))).rejects.toBe(failure);
  });
});
