import { posix } from 'node:path';
import { EXAMPLE_CONTROLLER, EXAMPLE_SOURCE, registerInModule, replaceKindeInTest } from './nest-add-sources.js';

/** The parts of the file tree of `@angular-devkit/schematics` that are used here. The Nest CLI brings that package, the app does not. */
export interface Tree {
  exists(path: string): boolean;
  read(path: string): { toString(): string } | null;
  create(path: string, content: string): void;
  overwrite(path: string, content: string): void;
}

/** The parts of a schematic's context that are used here. */
export interface Context {
  readonly logger: Record<'info' | 'warn', (line: string) => void>;
  addTask(task: { toConfiguration(): { name: string; options: object } }): unknown;
}

const ENVIRONMENT = `
# Kinde > Settings > Applications > (an M2M application that may use the Kinde Management API with read:api_keys)
# Without a Kinde account: npx nestjs-kinde-api-key emulator
KINDE_DOMAIN=https://<your subdomain>.kinde.com
KINDE_MANAGEMENT_CLIENT_ID=
KINDE_MANAGEMENT_CLIENT_SECRET=
# Kinde > Settings > APIs > (your API): accept only keys of this API
KINDE_API_ID=
`;

const NEXT_STEPS = [
  'Next, without a Kinde account:',
  '  1. npx nestjs-kinde-api-key emulator    and paste its export lines into another terminal',
  '  2. npm run start:dev                    in that terminal',
  '  3. curl -H "Authorization: Bearer <a key that the emulator printed>" localhost:3000/api-key-example',
  'Tests of the whole app replace Kinde: KindeApiKeyTestingModule.replaceKinde(builder) of nestjs-kinde-api-key/testing.',
];

/**
 * Runs for `nest add nestjs-kinde-api-key`: registers the module, writes a guarded example and `.env.example`, and replaces Kinde in the
 * app's test. Changes nothing twice, and says
 * what it could not change.
 *
 * @param options `sourceRoot`: folder of `app.module.ts`, as the Nest CLI passes it; default `src`
 */
export function nestAdd({ sourceRoot = 'src' }: { readonly sourceRoot?: string } = {}) {
  return (tree: Tree, context: Context): Tree => {
    addPackages(tree, context);
    addEnvironment(tree);
    addToModule(tree, context, sourceRoot);
    for (const line of NEXT_STEPS) context.logger.info(line);
    return tree;
  };
}

/** Adds the packages that fit the Nest of the app: before Nest 12, the newest `@nestjs/axios` cannot be loaded by jest. */
function addPackages(tree: Tree, context: Context): void {
  const manifest = JSON.parse(read(tree, 'package.json') ?? '{}') as { dependencies?: Record<string, string> };
  const { dependencies = {} } = manifest;
  const major = Number(/\d+/.exec(dependencies['@nestjs/core'] ?? '')?.[0] ?? 12);
  const missing = Object.entries({ '@nestjs/axios': major < 12 ? '^4.0.0' : '^12.0.0', axios: '^1.17.0' }).filter(
    ([name]) => !Object.hasOwn(dependencies, name),
  );
  if (missing.length === 0) return;
  const all = Object.entries({ ...dependencies, ...Object.fromEntries(missing) }).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  );
  write(tree, 'package.json', `${JSON.stringify({ ...manifest, dependencies: Object.fromEntries(all) }, null, 2)}\n`);
  context.addTask({ toConfiguration: () => ({ name: 'node-package', options: { command: 'install' } }) });
}

function addEnvironment(tree: Tree): void {
  const before = read(tree, '.env.example') ?? '';
  if (!before.includes('KINDE_DOMAIN')) write(tree, '.env.example', `${before}${ENVIRONMENT}`.trimStart());
}

function addToModule(tree: Tree, { logger }: Context, sourceRoot: string): void {
  const path = `${sourceRoot}/app.module.ts`;
  const before = read(tree, path);
  if (before?.includes('KindeApiKeyModule')) return;
  const after = before === null ? null : registerInModule(before);
  if (after === null) {
    logger.warn(`${path} was not changed. Add KindeApiKeyModule.forRoot() to the imports of your root module.`);
    return;
  }
  write(tree, path, after);
  const example = `${sourceRoot}/${EXAMPLE_CONTROLLER}.ts`;
  if (!tree.exists(example)) tree.create(example, EXAMPLE_SOURCE);
  addToTest(tree, posix.join(sourceRoot, '../test/app.e2e-spec.ts'));
}

/** The app now needs an environment: its test keeps running without one. */
function addToTest(tree: Tree, path: string): void {
  const after = replaceKindeInTest(read(tree, path) ?? '');
  if (after !== null) write(tree, path, after);
}

function read(tree: Tree, path: string): string | null {
  return tree.read(path)?.toString() ?? null;
}

function write(tree: Tree, path: string, content: string): void {
  if (tree.exists(path)) tree.overwrite(path, content);
  else tree.create(path, content);
}
