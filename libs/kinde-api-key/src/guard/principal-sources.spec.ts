import { checkedPrincipal } from './principal-sources.js';

const USER = { kind: 'user', orgCode: 'org_a', userId: 'u1' };

describe('a principal of a source', () => {
  it('has the scopes that were checked, whatever the list of the source answers when it is read again', () => {
    const scopes = ['read:users'];
    let reads = 0;
    scopes[Symbol.iterator] = function* () {
      reads += 1;
      yield reads === 1 ? 'read:users' : 'admin';
    } as (typeof scopes)[typeof Symbol.iterator];
    scopes.every = (() => true) as unknown as typeof scopes.every;
    expect(checkedPrincipal({ ...USER, scopes }, 'Source').scopes).toEqual(['read:users']);
  });

  it.each([
    ['a list with holes', Object.assign([], { length: 2 })],
    ['a list that passes off an object as a text', Object.assign([{}], { every: () => true })],
  ])('is refused with %s as its scopes', (_what, scopes: unknown) => {
    expect(() => checkedPrincipal({ ...USER, scopes }, 'Source')).toThrow('this one lacks scopes, an array of texts');
  });
});
