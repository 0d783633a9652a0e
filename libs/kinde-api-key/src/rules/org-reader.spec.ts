import type { ExecutionContext } from '@nestjs/common';
import fc from 'fast-check';
import type { VerifiedApiKey } from '../api-key/verified-api-key.js';
import type { HttpRequest } from './http-request.js';
import { functionOrgReader, requestOrgReader, resolverOrgReader, type OrgReader } from './org-reader.js';
import type { OrgResolution } from './org-target.js';

const CONTEXT = { getType: () => 'http' } as ExecutionContext;
const API_KEY = { keyId: 'api_key_1', orgCode: 'org_a' } as VerifiedApiKey;

function claimOf(source: OrgReader, request: HttpRequest = {}) {
  return source(CONTEXT, request, API_KEY);
}

const PLACES = [
  ['param', 'params'],
  ['query', 'query'],
  ['body', 'body'],
  ['header', 'headers'],
] as const;

describe.each(PLACES)('{ %s }', (kind, field) => {
  const read = (name: string, record: unknown) =>
    claimOf(requestOrgReader({ [kind]: name } as { param: string }), { [field]: record });

  it('reads the value as it was sent, at once', () => {
    expect(read('org', { org: 'org_a', other: 'org_b' })).toEqual({ orgCode: 'org_a' });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'org'],
    ['a number', 7],
    ['an object without the field', { other: 'org_a' }],
    ['an object that inherits the field', Object.create({ org: 'org_a' }) as object],
    ['a nested field', { data: { org: 'org_a' } }],
  ])('finds no value in %s', (_case, record) => {
    expect(read('org', record)).toEqual({ orgCode: undefined });
  });

  it.each(['constructor', '__proto__', 'tostring', 'hasownproperty', 'valueof'])('finds no value under %s', (name) => {
    expect(read(name, {})).toEqual({ orgCode: undefined });
    expect(read(name, Object.create(null))).toEqual({ orgCode: undefined });
  });

  it.each([[['org_a']], [['org_a', 'org_b']], [{ toString: () => 'org_a' }], [7], [null], ['']])(
    'leaves a value of another shape to the comparison: %j',
    (value) => {
      expect(read('org', { org: value })).toEqual({ orgCode: value });
    },
  );

  it('never throws, whatever the request is', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (record, name) => {
        expect(read(name, record)).toHaveProperty('orgCode');
      }),
    );
  });

  it('looks nowhere else', () => {
    const everywhere = Object.fromEntries(PLACES.map(([, other]) => [other, { org: `org_of_${other}` }]));
    expect(claimOf(requestOrgReader({ [kind]: 'org' } as { param: string }), everywhere)).toEqual({
      orgCode: `org_of_${field}`,
    });
  });
});

describe('the name of a place', () => {
  it('is taken in any case for a header, whose names Node writes in lower case', () => {
    expect(claimOf(requestOrgReader({ header: 'X-Org-Code' }), { headers: { 'x-org-code': 'org_a' } })).toEqual({
      orgCode: 'org_a',
    });
  });

  it('is taken as it is for the others', () => {
    expect(claimOf(requestOrgReader({ param: 'orgCode' }), { params: { orgcode: 'org_a' } })).toEqual({
      orgCode: undefined,
    });
  });

  it('may be __proto__ where a JSON body really has such a field', () => {
    const body = JSON.parse('{ "__proto__": "org_a" }') as unknown;
    expect(claimOf(requestOrgReader({ body: '__proto__' }), { body })).toEqual({ orgCode: 'org_a' });
  });
});

const RESOLUTIONS: readonly [string, unknown, unknown][] = [
  ['a text', 'org_a', { orgCode: 'org_a' }],
  ['an empty text', '', { orgCode: '' }],
  ['null', null, { orgCode: null }],
  ['undefined', undefined, { orgCode: undefined }],
  [
    'an organization with its resource',
    { orgCode: 'org_a', resource: 'user 7' },
    { orgCode: 'org_a', resource: 'user 7' },
  ],
  ['an organization alone', { orgCode: 'org_a' }, { orgCode: 'org_a', resource: undefined }],
  ['a list', ['org_a'], { orgCode: undefined, resource: undefined }],
  ['an object of another shape', { code: 'org_a' }, { orgCode: undefined, resource: undefined }],
  ['a number', 7, { orgCode: 7 }],
  ['true', true, { orgCode: true }],
];

describe.each([
  ['a function', (resolve: () => unknown) => functionOrgReader(resolve as () => OrgResolution)],
  [
    'a class whose instance is there',
    (resolve: () => unknown) => resolverOrgReader(() => ({ resolveOrgCode: resolve as () => OrgResolution })),
  ],
])('a resolver that is %s', (_name, sourceOf) => {
  it.each(RESOLUTIONS)('and answers %s at once makes nobody wait', (_case, answer, expected) => {
    expect(claimOf(sourceOf(() => answer))).toStrictEqual(expected);
  });

  it.each(RESOLUTIONS)('may promise %s', async (_case, answer, expected) => {
    const claim = claimOf(sourceOf(async () => answer));
    expect(claim).toBeInstanceOf(Promise);
    expect(await claim).toStrictEqual(expected);
  });

  it('may return a promise of another library, known by its "then"', async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- a promise of another library is what is tested
    const thenable = { then: (done: (value: unknown) => void) => done({ orgCode: 'org_a', resource: 7 }) };
    const claim = claimOf(sourceOf(() => thenable));
    expect(claim).toBeInstanceOf(Promise);
    expect(await claim).toEqual({ orgCode: 'org_a', resource: 7 });
  });

  it('passes on what is thrown, and never accepts', async () => {
    const failure = new Error('no such user');
    expect(() =>
      claimOf(
        sourceOf(() => {
          throw failure;
        }),
      ),
    ).toThrow(failure);
    await expect(claimOf(sourceOf(() => Promise.reject(failure)))).rejects.toBe(failure);
  });
});

describe('what a resolver is given', () => {
  it('is the context and the verified key', async () => {
    const resolve = jest.fn(() => 'org_a');
    await claimOf(functionOrgReader(resolve));
    await claimOf(resolverOrgReader(() => ({ resolveOrgCode: resolve })));
    expect(resolve.mock.calls).toEqual([
      [CONTEXT, API_KEY],
      [CONTEXT, API_KEY],
    ]);
  });

  it('is its own instance for "this"', () => {
    class Resolver {
      readonly orgCode = 'org_of_this';
      resolveOrgCode(): string {
        return this.orgCode;
      }
    }
    expect(claimOf(resolverOrgReader(() => new Resolver()))).toEqual({ orgCode: 'org_of_this' });
  });
});

describe('a resolver that is built for each request', () => {
  const request: HttpRequest = { params: {} };

  it('is asked for with the request, and waited for', async () => {
    const handle = jest.fn(async () => ({ resolveOrgCode: () => 'org_a' }));
    const claim = claimOf(resolverOrgReader(handle), request);
    expect(claim).toBeInstanceOf(Promise);
    expect(await claim).toEqual({ orgCode: 'org_a' });
    expect(handle).toHaveBeenCalledWith(request);
  });

  it('may promise its answer on top', async () => {
    const source = resolverOrgReader(async () => ({ resolveOrgCode: async () => ({ orgCode: 'org_a', resource: 7 }) }));
    expect(await claimOf(source, request)).toEqual({ orgCode: 'org_a', resource: 7 });
  });

  it('that cannot be built does not accept', async () => {
    const failure = new Error('cannot be built');
    await expect(claimOf(resolverOrgReader(() => Promise.reject(failure)))).rejects.toBe(failure);
  });
});
