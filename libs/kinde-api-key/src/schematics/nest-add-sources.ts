/** File of the example, without its extension. */
export const EXAMPLE_CONTROLLER = 'api-key-example.controller';

/** A controller that shows who calls, formatted like a new app of Nest. */
export const EXAMPLE_SOURCE = [
  "import { Controller, Get, UseGuards } from '@nestjs/common';",
  'import {',
  '  AnyValidKey,',
  '  ApiKeyGuard,',
  '  CurrentApiKey,',
  '  type VerifiedApiKey,',
  "} from 'nestjs-kinde-api-key';",
  '',
  "@Controller('api-key-example')",
  '@UseGuards(ApiKeyGuard)',
  'export class ApiKeyExampleController {',
  "  /** Any valid key may call this. `@RequireScopes('read:things')` asks for scopes. */",
  '  @Get()',
  '  @AnyValidKey()',
  '  show(@CurrentApiKey() { keyId, orgCode, scopes }: VerifiedApiKey) {',
  '    return { keyId, orgCode, scopes };',
  '  }',
  '}',
]
  .map((line) => `${line}\n`)
  .join('');

/**
 * Registers the library and the example in the source of a module.
 *
 * @returns the changed source, or `null` if it has no `@Module({ … })` with lists that are written out
 */
export function registerInModule(source: string): string | null {
  const decorator = /@Module\(\s*\{/.exec(source);
  if (!decorator) return null;
  const start = decorator.index + decorator[0].length;
  // As the app spells its own imports: Nest 12 names files with their extension.
  const extension = /from\s+['"]\.[^'"]*\.js['"]/.test(source) ? '.js' : '';
  const controllers = addToList(source.slice(start), 'controllers', 'ApiKeyExampleController');
  const registered = controllers && addToList(controllers, 'imports', 'KindeApiKeyModule.forRoot()');
  if (registered === null) return null;
  const imports = [
    "import { KindeApiKeyModule } from 'nestjs-kinde-api-key';",
    `import { ApiKeyExampleController } from './${EXAMPLE_CONTROLLER}${extension}';`,
  ];
  return `${addImports(source.slice(0, start), imports)}${registered}`;
}

/** How the test of a new app makes the whole app. */
const WHOLE_APP =
  /^(?<indent>[ \t]*)(?<made>const \w+(?:: TestingModule)? = await )Test\.createTestingModule\(\{\s*imports: \[AppModule\],?\s*\}\)\.compile\(\);/m;

/** Replaces Kinde in the test of the whole app, which would otherwise need an environment. Returns `null` if the test is not that of a new app. */
export function replaceKindeInTest(source: string): string | null {
  const found = WHOLE_APP.exec(source);
  if (!found) return null;
  const [, indent = '', made = ''] = found;
  const lines = [
    'const builder = Test.createTestingModule({ imports: [AppModule] });',
    'KindeApiKeyTestingModule.replaceKinde(builder);',
    `${made}builder.compile();`,
  ];
  const [head, rest] = [source.slice(0, found.index), source.slice(found.index + found[0].length)];
  const imports = ["import { KindeApiKeyTestingModule } from 'nestjs-kinde-api-key/testing';"];
  return `${addImports(head, imports)}${lines.map((line) => `${indent}${line}`).join('\n')}${rest}`;
}

/**
 * Puts an element first into a list of the decorator, or the list first into the decorator.
 *
 * @returns `null` if the list is not written out, e.g. `imports: sharedImports`
 */
function addToList(decorator: string, list: string, element: string): string | null {
  const properties = [...decorator.matchAll(new RegExp(String.raw`\b${list}\b`, 'g'))];
  const at = properties.find(({ index }) => depthOf(decorator.slice(0, index)) === 0)?.index;
  if (at === undefined) return `\n  ${list}: [${element}],${decorator}`;
  const [head, space = ''] = /^\w+\s*:\s*\[(\s*)/.exec(decorator.slice(at)) ?? [];
  if (head === undefined) return null;
  const rest = decorator.slice(at + head.length);
  const separator = rest.startsWith(']') ? '' : `,${space || ' '}`;
  return `${decorator.slice(0, at)}${head}${element}${separator}${rest}`;
}

/** Counts the brackets that are open at the end of a text. */
function depthOf(text: string): number {
  return (text.match(/[{[(]/g)?.length ?? 0) - (text.match(/[}\])]/g)?.length ?? 0);
}

/** Puts import statements after the last one. */
function addImports(head: string, imports: readonly string[]): string {
  const last = [...head.matchAll(/^import\b[^;]*?from\s+['"][^'"]+['"];?$/gm)].at(-1);
  const at = last ? last.index + last[0].length : 0;
  const added = last ? `\n${imports.join('\n')}` : `${imports.join('\n')}\n`;
  return `${head.slice(0, at)}${added}${head.slice(at)}`;
}
