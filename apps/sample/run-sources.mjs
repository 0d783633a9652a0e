// Runs TypeScript sources as they are: `node --import ./apps/sample/run-sources.mjs main.ts`, through the swc that is installed for
// the tests. The sample starts faster than a build would take, and a stale build cannot be served, because there is none.
// Types are not checked here; `npm run typecheck` does that.
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transformSync } from '@swc/core';

/** Sources import each other as `./file.js`, which is what a build would make of `./file.ts`. */
export function resolve(specifier, context, nextResolve) {
  const isSource = specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts');
  return nextResolve(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

/** The same settings as in jest.config.mjs, but for the module format. */
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

// Node 22.15 and later load hooks in the thread of the program; before, they live in a thread of their own, which loads this
// file once more.
if (module.registerHooks) module.registerHooks({ resolve, load });
else if (isMainThread) module.register(import.meta.url);
