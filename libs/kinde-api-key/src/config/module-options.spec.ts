import { join } from 'node:path';
import ts from 'typescript';
import type { KindeApiKeyOptions } from './module-options.js';

/** An app's file, which is not written to disk. */
const APP = join(__dirname, 'app-under-test.ts');

function hover(source: string, options: readonly string[]): (string | undefined)[] {
  const host: ts.LanguageServiceHost = {
    getScriptFileNames: () => [APP],
    getScriptVersion: () => '1',
    getScriptSnapshot: (file) => {
      const text = file === APP ? source : ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => __dirname,
    getCompilationSettings: () => ({ strict: true, lib: ['lib.es5.d.ts'], types: [], module: ts.ModuleKind.NodeNext }),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
  };
  const service = ts.createLanguageService(host);
  return options.map((option) => {
    const info = service.getQuickInfoAtPosition(APP, source.indexOf(`${option}:`));
    return ts.displayPartsToString(info?.documentation);
  });
}

describe('KindeApiKeyOptions', () => {
  it('shows the docstrings of the tables where an app sets its options', () => {
    const source = `
      import type { KindeApiKeyOptions } from './module-options.js';
      export const options: KindeApiKeyOptions = { realm: 'a', cache: { maxKeys: 1 }, failedAttempts: { limit: 1, windowMs: 1_000 } };
    `;
    expect(hover(source, ['realm', 'maxKeys', 'limit'])).toEqual([
      "Realm of the challenge in `WWW-Authenticate`. Default `'api'`.",
      'Maximum number of accepted keys in memory. When full, the least recently used key is evicted. 1 to 10,000,000. Default 50,000.',
      'Number of refused keys allowed per window. 1 to 10,000. Required.',
    ]);
  });

  it('rejects what the table does not accept, when it is compiled', () => {
    const wrong: KindeApiKeyOptions[] = [
      // @ts-expect-error -- an unknown option
      { ttlMs: 5 },
      // @ts-expect-error -- an unknown option of a section
      { cache: { ttl: 5 } },
      // @ts-expect-error -- true does not turn the cache on
      { cache: true },
      // @ts-expect-error -- a number has no fields, although every field of the section is optional
      { kinde: 5 },
      // @ts-expect-error -- the window has no default
      { failedAttempts: { limit: 5 } },
      // @ts-expect-error -- the header has no default
      { credentials: [{ scheme: 'Bearer' }] },
      // @ts-expect-error -- a text is not a flag
      { hideExistence: 'true' },
      // @ts-expect-error -- an extra, which belongs beside the factory
      { isGlobal: true },
    ];
    expect(wrong).toHaveLength(8);
  });
});
