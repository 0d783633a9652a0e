import type { Options } from '@swc/core';

/** Options of swc for the sources of an app, as `nest build --builder swc` has them. */
export function swcOptions(module: 'es6' | 'commonjs', options: Pick<Options, 'filename'> = {}): Options {
  return {
    ...options,
    swcrc: false,
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      keepClassNames: true,
    },
    module: { type: module },
  };
}
