import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { brokenLinks } from '../support/markdown.js';
import {
  ANSWERS,
  compile,
  type Format,
  layOutConsumers,
  LIBRARY,
  makeFolder,
  npm,
  packLibrary,
  removeFolder,
  REPOSITORY,
  run,
  runNode,
} from './packed-library.js';

interface Manifest {
  readonly bin: Record<string, string>;
  readonly exports: Record<string, unknown>;
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
}

let folder: string;
let installed: string;
let manifest: Manifest;

/** Links the declared dependencies and those of an app on Express. Any other import fails. */
async function linkDeclared(): Promise<void> {
  const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];
  for (const name of [...names, '@nestjs/platform-express', '@types/node']) {
    const target = [LIBRARY, REPOSITORY].map((top) => join(top, 'node_modules', name)).find(existsSync);
    if (!target) throw new Error(`${name} is declared but not installed`);
    await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true });
    await symlink(target, join(folder, 'node_modules', name), 'junction');
  }
}

/** Paths of all files in the package. */
function shipped(): string[] {
  const paths = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => statSync(join(installed, path)).isFile());
}

jest.setTimeout(120_000);

beforeAll(async () => {
  folder = await makeFolder();
  installed = join(folder, 'node_modules/nestjs-kinde-api-key');
  const tarball = await packLibrary(folder);
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed], folder);
  manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Manifest;
  await linkDeclared();
  await layOutConsumers(folder);
});
afterAll(() => removeFolder(folder));

async function expectAnswers(format: Format): Promise<void> {
  const { code, stdout, stderr } = await runNode(['out/main.js'], join(folder, format));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual(ANSWERS);
}

describe('the packed library answers 200, 401 and 403 in plain node without warnings', () => {
  it('when imported', async () => {
    expect(await compile(folder, 'esm', { module: 'nodenext', skipLibCheck: false })).toBe('');
    await expectAnswers('esm');
  });

  it('when required', async () => {
    expect(await compile(folder, 'cjs', { module: 'nodenext' })).toBe('');
    await expectAnswers('cjs');
  });

  it('when required without ESM resolution, as in plain jest', async () => {
    const consumer = join(folder, 'cjs/out/consumer.js');
    const compiled = readFileSync(consumer, 'utf8');
    await writeFile(
      consumer,
      compiled
        .replace('require("nestjs-kinde-api-key")', `require(${JSON.stringify(join(installed, 'dist/index.js'))})`)
        .replaceAll(
          /require\("nestjs-kinde-api-key\/(\w+)"\)/g,
          (_text, path: string) => `require(${JSON.stringify(join(installed, 'dist', `${path}.js`))})`,
        ),
    );
    expect(readFileSync(consumer, 'utf8')).not.toContain('require("nestjs-kinde-api-key');
    await expectAnswers('cjs');
  });
});

describe('the packed library names what to install', () => {
  const LOADS = [
    ['core.mjs', "import 'nestjs-kinde-api-key';"],
    ['core.cjs', "require('nestjs-kinde-api-key');"],
  ] as const;

  async function expectError(cwd: string, text: string, ...flags: string[]): Promise<void> {
    for (const [program, source] of LOADS) {
      await writeFile(join(cwd, program), source);
      const { code, stderr } = await runNode([...flags, program], cwd);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(`Error: nestjs-kinde-api-key ${text}`),
      });
    }
  }

  it.each([
    ['@nestjs/axios', '@nestjs/axios@12'],
    ['@nestjs/core', '@nestjs/core@12'],
    ['axios', 'axios@1'],
    ['rxjs', 'rxjs@7'],
    ['reflect-metadata', 'reflect-metadata@0.2'],
  ])('where %s is missing', async (name, installable) => {
    const link = join(folder, 'node_modules', name);
    const target = await readlink(link);
    await rm(link);
    try {
      await expectError(folder, `needs ${name}, which is not installed. Run: npm install ${installable}\n`);
    } finally {
      await symlink(target, link, 'junction');
    }
  });

  it('where Nest 11 has an @nestjs/axios that is an ES module, and require() cannot load it', async () => {
    const app = join(folder, 'nest-11');
    const anything = 'module.exports = new Proxy({}, { get: () => function () { return () => undefined; } });';
    const files = {
      '@nestjs/common/package.json': JSON.stringify({ version: '11.0.0' }),
      '@nestjs/common/index.js': anything,
      '@nestjs/core/index.js': anything,
      '@nestjs/axios/package.json': JSON.stringify({ version: '12.0.0', type: 'module', exports: './index.js' }),
      '@nestjs/axios/index.js': 'export class HttpService {}',
    };
    await cp(installed, join(app, 'node_modules/nestjs-kinde-api-key'), { recursive: true });
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(app, 'node_modules', file)), { recursive: true });
      await writeFile(join(app, 'node_modules', file), text);
    }
    const cause = 'the installed version is an ES module, and require() cannot load ES modules in this process';
    const text = `cannot load @nestjs/axios: ${cause}. Run: npm install @nestjs/axios@4\n`;
    await expectError(app, text, '--no-experimental-require-module');
  });
});

describe('the subpath ./tokens of the packed library', () => {
  /** Authenticates a token of the emulator, and prints its user. */
  const PROGRAM = `
    async function main({ kindeAccessTokens }, { KindeEmulator }) {
      const emulator = await KindeEmulator.start();
      const http = {
        async send({ url }, signal) {
          const response = await fetch(url, { signal });
          return { status: response.status, headers: { 'content-type': 'application/json' }, body: await response.text() };
        },
        close() {},
      };
      const connection = { origin: emulator.domain, timeoutMs: 5_000, http, clock: { now: () => Date.now() }, log: console };
      const source = kindeAccessTokens({ audience: 'https://api.example.com' });
      const connected = source[Symbol.for('nestjs-kinde-api-key:connect')](connection);
      const request = { rawHeaders: ['Authorization', 'Bearer ' + emulator.issueToken({ userId: 'kp_1' })] };
      const context = { getType: () => 'http', switchToHttp: () => ({ getRequest: () => request }) };
      console.log((await connected.authenticate(context)).userId);
      await emulator.stop();
    }
  `;
  const paths = ['nestjs-kinde-api-key/tokens', 'nestjs-kinde-api-key/testing'];

  /** Makes another package the app's jose. `null`: none is installed. */
  async function useJose(name: string | null): Promise<void> {
    const link = join(folder, 'node_modules/jose');
    await rm(link, { force: true });
    if (name !== null) await symlink(join(REPOSITORY, 'node_modules', name), link, 'junction');
  }

  beforeAll(async () => {
    const loads = (load: string): string => paths.map((path) => `${load}(${JSON.stringify(path)})`).join(', ');
    await writeFile(join(folder, 'tokens.mjs'), `${PROGRAM}; await main(${loads('await import')});`);
    await writeFile(join(folder, 'tokens.cjs'), `${PROGRAM}; main(${loads('require')});`);
    const built = paths.map((path) => `require(${JSON.stringify(join(installed, 'dist', `${path.slice(21)}.js`))})`);
    await writeFile(join(folder, 'jest-like.cjs'), `${PROGRAM}; main(${built.join(', ')});`);
  });
  afterAll(() => useJose('jose'));

  it.each([
    ['jose', 'tokens.mjs'],
    ['jose', 'tokens.cjs'],
    ['jose', 'jest-like.cjs'],
    ['jose5', 'tokens.mjs'],
    ['jose5', 'tokens.cjs'],
    ['jose5', 'jest-like.cjs'],
  ])('verifies a token with %s in %s without warnings', async (jose, program) => {
    await useJose(jose);
    expect(await runNode([program], folder)).toEqual({ code: 0, stdout: 'kp_1\n', stderr: '' });
  });

  it.each(['tokens.mjs', 'tokens.cjs'])('names jose in the error of %s if it is not installed', async (program) => {
    await useJose(null);
    const { code, stderr } = await runNode([program], folder);
    expect(code).toBe(1);
    expect(stderr).toContain('nestjs-kinde-api-key needs jose, which is not installed. Run: npm install jose@6');
  });

  it('is the only part that needs jose', async () => {
    await useJose(null);
    await writeFile(join(folder, 'core.mjs'), "import 'nestjs-kinde-api-key'; import 'nestjs-kinde-api-key/testing';");
    expect(await runNode(['core.mjs'], folder)).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('the subpath ./opentelemetry of the packed library', () => {
  const NAMES = ['@nestjs/common', '@nestjs/core', 'nestjs-kinde-api-key', 'nestjs-kinde-api-key/opentelemetry'];
  /** Boots an app with the telemetry, without a registered SDK. */
  const PROGRAM = `
    async function main({ Module }, { NestFactory }, { KindeApiKeyModule }, { KindeApiKeyTelemetry }) {
      class AppModule {}
      const options = { domain: 'http://127.0.0.1:9', clientId: 'id', clientSecret: 'secret' };
      Module({ imports: [KindeApiKeyModule.forRoot(options)], providers: [KindeApiKeyTelemetry] })(AppModule);
      const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
      console.log(app.get(KindeApiKeyTelemetry).constructor.name);
      await app.close();
    }
  `;
  const api = (): string => join(folder, 'node_modules/@opentelemetry/api');

  beforeAll(async () => {
    const loads = (load: string): string => NAMES.map((name) => `${load}(${JSON.stringify(name)})`).join(', ');
    const start = "'reflect-metadata'";
    await writeFile(
      join(folder, 'telemetry.mjs'),
      `import ${start}; ${PROGRAM}; await main(${loads('await import')});`,
    );
    await writeFile(join(folder, 'telemetry.cjs'), `require(${start}); ${PROGRAM}; main(${loads('require')});`);
  });

  it.each(['telemetry.mjs', 'telemetry.cjs'])('runs in %s without warnings', async (program) => {
    expect(await runNode([program], folder)).toEqual({ code: 0, stdout: 'KindeApiKeyTelemetry\n', stderr: '' });
  });

  it('is the only part that needs @opentelemetry/api, and names it in its error if it is not installed', async () => {
    await rm(api());
    try {
      for (const program of ['telemetry.mjs', 'telemetry.cjs']) {
        const { code, stderr } = await runNode([program], folder);
        expect(code).toBe(1);
        expect(stderr).toContain(
          'needs @opentelemetry/api, which is not installed. Run: npm install @opentelemetry/api@1',
        );
      }
      await writeFile(
        join(folder, 'core.mjs'),
        "import 'nestjs-kinde-api-key'; import 'nestjs-kinde-api-key/testing';",
      );
      expect(await runNode(['core.mjs'], folder)).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await symlink(join(REPOSITORY, 'node_modules/@opentelemetry/api'), api(), 'junction');
    }
  });
});

describe('the subpath ./openapi of the packed library', () => {
  /** Prints the security of the one operation of an app. */
  const PROGRAM = `
    async function main({ documentApiKeys }, { ApiKeyGuard, KindeApiKeyModule, RequireScopes }, nest, { NestFactory }) {
      class UsersController {
        find() {}
      }
      const { prototype } = UsersController;
      const descriptor = Object.getOwnPropertyDescriptor(prototype, 'find');
      for (const decorate of [nest.Get(), RequireScopes('read:users')]) decorate(prototype, 'find', descriptor);
      for (const decorate of [nest.UseGuards(ApiKeyGuard), nest.Controller('users')]) decorate(UsersController);
      const kinde = KindeApiKeyModule.forRoot({ domain: 'http://127.0.0.1:9', clientId: 'id', clientSecret: 'secret' });
      class AppModule {}
      nest.Module({ imports: [kinde], controllers: [UsersController] })(AppModule);
      const app = await NestFactory.create(AppModule, { logger: false });
      const document = documentApiKeys(app, { openapi: '3.1.0', paths: { '/users': { get: { responses: {} } } } });
      console.log(JSON.stringify(document.paths['/users'].get.security));
      await app.close();
    }
  `;
  const PATHS = ['nestjs-kinde-api-key/openapi', 'nestjs-kinde-api-key', '@nestjs/common', '@nestjs/core'];

  it.each([
    ['document.mjs', 'await import', 'await '],
    ['document.cjs', 'require', ''],
  ])('documents an app without @nestjs/swagger in %s', async (program, load, wait) => {
    expect(existsSync(join(folder, 'node_modules/@nestjs/swagger'))).toBe(false);
    const loads = PATHS.map((path) => `${load}(${JSON.stringify(path)})`).join(', ');
    await writeFile(join(folder, program), `${PROGRAM}; ${wait}main(${loads});`);
    const { code, stdout, stderr } = await runNode([program], folder);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '[{"apiKey":["read:users"]}]\n', stderr: '' });
  });

  it('checks a document on the command line', async () => {
    const file = join(folder, 'document.json');
    await writeFile(file, JSON.stringify({ openapi: '3.1.0', paths: {} }));
    const { code, stdout } = await runNode(
      [join(installed, manifest.bin['nestjs-kinde-api-key'] ?? ''), 'openapi', file, '--check-mcp'],
      folder,
    );
    expect({ code, stdout }).toMatchObject({ code: 1, stdout: expect.stringContaining('servers[0]') as string });
  });
});

describe('the packed library', () => {
  it.each<[Format, string, Record<string, unknown>]>([
    ['esm', 'node16', { module: 'node16', skipLibCheck: false }],
    ['esm', 'bundler', { module: 'esnext', moduleResolution: 'bundler' }],
    [
      'cjs',
      'node10',
      { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0', skipLibCheck: false },
    ],
  ])('has types for an app in %s under %s', async (format, _name, options) => {
    expect(await compile(folder, format, { ...options, noEmit: true })).toBe('');
  });

  it('is loaded once when a process both imports and requires it, for each subpath', async () => {
    const names = Object.keys(manifest.exports)
      .filter((path) => path !== './package.json')
      .map((path) => path.replace('.', 'nestjs-kinde-api-key'));
    const source = `
      import { createRequire } from 'node:module';
      const require = createRequire(import.meta.url);
      for (const name of ${JSON.stringify(names)}) {
        const [imported, required] = [await import(name), require(name)];
        console.log(name, Object.keys(imported).every((symbol) => imported[symbol] === required[symbol]));
      }
    `;
    await writeFile(join(folder, 'both.mjs'), source);
    const { stdout, stderr } = await runNode(['both.mjs'], folder);
    expect({ stdout, stderr }).toEqual({ stdout: names.map((name) => `${name} true\n`).join(''), stderr: '' });
  });

  it('has a command that runs', async () => {
    const bin = join(installed, manifest.bin['nestjs-kinde-api-key']!);
    const { code, stdout, stderr } = await runNode([bin, 'emulator', '--help'], folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Usage: nestjs-kinde-api-key emulator [options]');
  });

  it('has a package.json that npm does not correct when it publishes', async () => {
    const copy = join(folder, 'manifest');
    await mkdir(copy);
    await cp(join(LIBRARY, 'package.json'), join(copy, 'package.json'));
    await npm(['pkg', 'fix'], copy);
    expect(readFileSync(join(copy, 'package.json'), 'utf8')).toBe(readFileSync(join(LIBRARY, 'package.json'), 'utf8'));
  });

  it('is registered by nest add, with an example that compiles', async () => {
    const app = join(folder, 'nest-add');
    const files = {
      'package.json': JSON.stringify({ dependencies: { '@nestjs/axios': '*', '@nestjs/core': '*', axios: '*' } }),
      'nest-cli.json': JSON.stringify({ sourceRoot: 'src' }),
      'src/app.module.ts':
        "import { Module } from '@nestjs/common';\n\n@Module({ imports: [] })\nexport class AppModule {}\n",
    };
    await mkdir(join(app, 'src'), { recursive: true });
    for (const [file, text] of Object.entries(files)) await writeFile(join(app, file), text);
    const nest = require.resolve('@nestjs/cli/bin/nest.js');
    const { code, stdout } = await runNode([nest, 'add', 'nestjs-kinde-api-key', '--skip-install'], app);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('app.module.ts') });
    expect(readFileSync(join(app, '.env.example'), 'utf8')).toContain('KINDE_DOMAIN=');
    const options = { module: 'commonjs', moduleResolution: 'bundler', noEmit: true };
    expect(await compile(folder, 'nest-add', options, ['src/app.module.ts'])).toBe('');
  });

  it('contains its licence, pages and bundles, and nothing else', () => {
    const pages = ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md', join('docs', 'routes.md')];
    expect(shipped()).toEqual(expect.arrayContaining([...pages, join('dist', 'index.js')]));
    const known =
      /^(package\.json|schematics\.json|[A-Z]+(\.md)?|docs.[\w-]+\.md|dist.(package\.json|(chunks.)?[\w.-]+\.(js|mjs|d\.ts|d\.mts)))$/;
    expect(shipped().filter((file) => !known.test(file))).toEqual([]);
  });

  it('has less than 250 files, 900 kB unpacked and 250 kB packed', () => {
    const bytes = shipped().reduce((sum, file) => sum + statSync(join(installed, file)).size, 0);
    const [tarball] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
    const packed = statSync(join(folder, tarball!)).size;
    expect(shipped().length).toBeLessThan(250);
    expect(bytes).toBeLessThan(900_000);
    expect(packed).toBeLessThan(250_000);
  });

  it('contains the docstrings', () => {
    expect(readFileSync(join(installed, 'dist/index.d.ts'), 'utf8')).toMatch(/\/\*\*[^]*\*\/\n/);
  });

  it('has pages without the parts of the repository, and without broken links', () => {
    const pages = shipped().filter((file) => file.endsWith('.md'));
    expect(pages.length).toBeGreaterThan(15);
    expect(pages.flatMap((page) => brokenLinks(page, installed).map((link) => `${page}: ${link}`))).toEqual([]);
    expect(readFileSync(join(installed, 'README.md'), 'utf8')).not.toMatch(/repository only|npm start/);
    expect(readFileSync(join(installed, 'CHANGELOG.md'), 'utf8')).toContain('](docs/troubleshooting.md)');
  });
});
