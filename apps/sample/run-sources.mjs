// Runs TypeScript sources without a build: `node --import ./apps/sample/run-sources.mjs main.ts`. It uses the swc that
// is installed for the tests. Types are not checked here but by `npm run typecheck`.
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transformSync } from '@swc/core';

/** Sources of the library, all its subpaths included, by what they are imported as. */
const ROOT = new URL('../../', import.meta.url);
const { paths } = JSON.parse(readFileSync(new URL('tsconfig.json', ROOT), 'utf8')).compilerOptions;

/** Sources import `./file.js`, the name of `./file.ts` after a build. */
export function resolve(specifier, context, nextResolve) {
  if (Object.hasOwn(paths, specifier)) return { url: new URL(paths[specifier][0], ROOT).href, shortCircuit: true };
  const isSource = specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts');
  return nextResolve(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

/** The settings of jest.config.mjs, except for the module format. */
export function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const filename = fileURLToPath(url);
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    swcrc: false,
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
      keepClassNames: true,
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  });
  return { format: 'module', source: code, shortCircuit: true };
}

// Node 22.15 and later run load hooks in the main thread. Older versions run them in a worker, which loads this file again.
if (module.registerHooks) module.registerHooks({ resolve, load });
else if (isMainThread) module.register(import.meta.url);
