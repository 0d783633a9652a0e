import type { HttpRequest } from '../rules/http-request.js';
import { graphqlCall, isResolverCall } from './graphql-call.js';

const INFO = { fieldName: 'projects', fieldNodes: [] };
const request = { headers: { authorization: 'Bearer k' }, params: { orgCode: 'org_a' }, query: {}, body: {} };
const names = { credentials: [{ header: 'authorization', scheme: 'Bearer' }] };
const newRequest = () => ({ ...request });
const callWith = (context: unknown, args: unknown = { orgCode: 'org_b' }) =>
  graphqlCall([undefined, args, context, INFO], names);

describe('a resolver call', () => {
  it.each([
    ['req, of Apollo', { req: newRequest() }],
    ['request', { request: newRequest() }],
    ['reply.request, of Mercurius', { reply: { request } }],
    ['req and reply.request', { req: request, reply: { request } }],
  ])('has the HTTP request from %s', (_from, context) => {
    expect(callWith(context)).toMatchObject({ origin: request, id: INFO, isOverConnection: false });
  });

  it('has its own arguments, and nothing else that a client can put into the request', () => {
    const call = callWith({ req: newRequest() }) as { readonly request: HttpRequest };
    const { headers, args, params, query, body } = call.request;
    expect({ headers, args, params, query, body }).toEqual({
      headers: request.headers,
      args: { orgCode: 'org_b' },
      params: undefined,
      query: undefined,
      body: undefined,
    });
  });

  it('of a reference has no arguments', () => {
    const call = graphqlCall([{ orgCode: 'org_b' }, { req: newRequest() }, INFO], names);
    expect((call as { readonly request: HttpRequest }).request.args).toBeUndefined();
  });

  it.each([
    ['is no object', 'a text'],
    ['is missing', undefined],
    ['is empty', {}],
    ['has something else', { req: { user: 'someone' } }],
  ])('is not known if the context %s, and says how to pass the request', (_case, context) => {
    expect(callWith(context)).toMatch(
      /^the GraphQL context has no HTTP request: let the context function return it, e\.g\. context: /,
    );
  });

  it('is not known if other operations had its request, unless they are a batch', () => {
    const single = newRequest();
    const context = { req: single };
    expect([callWith(context), callWith(context)]).toEqual([expect.any(Object), expect.any(Object)]);
    expect([callWith({ req: single }), callWith({ req: single })]).toEqual([
      expect.stringMatching(
        /^the request in the GraphQL context is that of another operation: make the option context a function/,
      ),
      expect.any(String),
    ]);
    expect(callWith(context)).toMatchObject({ origin: single });
    const batch = { ...request, body: [{}, {}] };
    expect([1, 2, 3].map(() => typeof callWith({ req: batch }))).toEqual(['object', 'object', 'string']);
  });

  it('over a connection is not known if another operation had its context', () => {
    const context = { req: { connectionParams: {}, extra: { request } } };
    const callOf = (operation: object) => graphqlCall([undefined, {}, context, { ...INFO, operation }], names);
    const [first, second] = [{}, {}];
    expect([first, first, second, first].map((one) => typeof callOf(one))).toEqual([
      'object',
      'object',
      'string',
      'object',
    ]);
    expect(typeof graphqlCall([undefined, {}, { ...context }, { ...INFO, operation: second }], names)).toBe('object');
  });

  it('is not known if the context has the requests of two clients', () => {
    const other = { headers: {} };
    expect(callWith({ req: request, reply: { request: other } })).toMatch(
      /^the request in the GraphQL context is that of another operation/,
    );
    expect(callWith({ req: other, reply: { request: { headers: {}, raw: other } } })).toMatchObject({ origin: other });
  });

  it.each([
    ['connectionParams', { req: { connectionParams: {}, extra: { request } } }],
    ['connectionParams beside the request', { req: request, connectionParams: {} }],
    ['_connectionInit, of Mercurius', { request, _connectionInit: {} }],
    ['an upgrade', { req: { headers: { upgrade: 'WebSocket' } } }],
  ])('over a connection is known by %s, and is verified on its own', (_by, context) => {
    expect(callWith(context)).toMatchObject({ origin: context, isOverConnection: true, response: undefined });
  });
});

describe('what Nest passes to a guard', () => {
  it.each([
    [[undefined, {}, {}, INFO], true],
    [[{}, {}, INFO], true],
    [[], false],
    [[{}, {}], false],
    [[undefined, {}, {}, undefined], false],
    [[undefined, {}, {}, { fieldName: 'a' }], false],
  ])('is a resolver call or not', (args, isOne) => {
    expect(isResolverCall(args)).toBe(isOne);
  });
});
