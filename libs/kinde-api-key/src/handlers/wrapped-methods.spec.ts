import { SetMetadata } from '@nestjs/common';
import { isInFrontOf } from './wrapped-methods.js';

const LIST = ['a'];

function method(): void {}
SetMetadata('path', '/')(method);
SetMetadata('list', LIST)(method);

/** Returns a function with this name and metadata. */
function wrapper(name: string, metadata: Readonly<Record<string, unknown>>): () => void {
  const made = (): void => undefined;
  Object.defineProperty(made, 'name', { value: name });
  for (const [key, value] of Object.entries(metadata)) SetMetadata(key, value)(made);
  return made;
}

describe('A function is in front of a method', () => {
  it('if it has its name and its metadata', () => {
    expect(isInFrontOf(wrapper('method', { path: '/', list: LIST }), method)).toBe(true);
  });

  it('with any name, if a decorator has replaced the method by a function without a name', () => {
    const [unnamed] = [(): void => undefined];
    SetMetadata('path', '/')(unnamed);
    expect(unnamed?.name).toBe('');
    expect(isInFrontOf(wrapper('wrapped', { path: '/' }), unnamed as () => void)).toBe(true);
  });

  it.each([
    ['another name', wrapper('other', { path: '/', list: LIST })],
    ['other metadata', wrapper('method', { path: '/other', list: LIST })],
    ['an equal list instead of the same', wrapper('method', { path: '/', list: ['a'] })],
    ['less metadata', wrapper('method', { path: '/' })],
    ['more metadata', wrapper('method', { path: '/', list: LIST, more: 1 })],
  ])('but not with %s', (_difference, other) => {
    expect(isInFrontOf(other, method)).toBe(false);
  });

  it('but not of a method without metadata, which says nothing', () => {
    function bare(): void {}
    expect(isInFrontOf(wrapper('bare', {}), bare)).toBe(false);
  });
});
