import ts from 'typescript';
import type { Example } from './markdown.js';

/** What an example exports, and for one that is no module the variables that it names. */
type Names = Readonly<Record<string, unknown>>;

/**
 * Runs an example of a page as jest would run it as a test file.
 *
 * @param modules that the example imports by these names, besides packages
 * @returns what it exports
 */
export function runExample(example: Example, modules: Readonly<Record<string, Names>> = {}): Names {
  const exports = {};
  functionOf(compiled(example.code))(importerOf(modules), exports);
  return exports;
}

/**
 * Runs an example with `await` outside a function.
 *
 * @param wanted the variables to return
 */
export async function runAsyncExample(
  example: Example,
  wanted: readonly string[],
  modules: Readonly<Record<string, Names>> = {},
): Promise<Names> {
  const source = `return (async () => { ${compiled(example.code)}; return { ${wanted.join(', ')} }; })();`;
  return (await functionOf(source)(importerOf(modules), {})) as Names;
}

/** In the realm of the test file, which `describe` and its like belong to; `node:vm` would leave it. */
function functionOf(source: string): (require: (name: string) => unknown, exports: object) => unknown {
  // oxlint-disable-next-line typescript/no-implied-eval -- the source is a page of this repository
  return new Function('require', 'exports', source) as ReturnType<typeof functionOf>;
}

function compiled(code: string): string {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      esModuleInterop: true,
    },
  });
  return outputText;
}

function importerOf(modules: Readonly<Record<string, Names>>): (name: string) => unknown {
  // jest's own `require`, so that an example and its test share every module.
  return (name) => modules[name] ?? (require(name) as unknown);
}
