import { nestAdd } from './nest-add.js';

const NEW_APP = `import { Module } from '@nestjs/common';
import { AppController } from './app.controller';
import { AppService } from './app.service';

@Module({
  imports: [],
  controllers: [AppController],
  providers: [AppService],
})
export class AppModule {}
`;

const NEW_TEST = `import { Test, TestingModule } from '@nestjs/testing';
import { AppModule } from './../src/app.module';

describe('AppController (e2e)', () => {
  beforeEach(async () => {
    const moduleFixture: TestingModule = await Test.createTestingModule({
      imports: [AppModule],
    }).compile();

    app = moduleFixture.createNestApplication();
  });
});
`;

interface Outcome {
  readonly files: ReadonlyMap<string, string>;
  readonly tasks: readonly unknown[];
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** Runs the schematic on files in memory. */
function add(before: Readonly<Record<string, string>>, options?: { readonly sourceRoot: string }): Outcome {
  const files = new Map(Object.entries(before));
  const tasks: unknown[] = [];
  const warnings: string[] = [];
  const infos: string[] = [];
  const tree = {
    exists: (path: string) => files.has(path),
    read: (path: string) => files.get(path) ?? null,
    create: (path: string, content: string) => void files.set(path, content),
    overwrite: (path: string, content: string) => void files.set(path, content),
  };
  const logger = { info: (line: string) => infos.push(line), warn: (line: string) => warnings.push(line) };
  nestAdd(options)(tree, { logger, addTask: (task) => tasks.push(task.toConfiguration()) });
  return { files, tasks, warnings, infos };
}

function manifest(dependencies: Record<string, string>): string {
  return JSON.stringify({ name: 'app', dependencies });
}

describe('nest add', () => {
  it('registers the module and a guarded example in a new app', () => {
    const { files } = add({ 'package.json': manifest({ '@nestjs/core': '^11.0.1' }), 'src/app.module.ts': NEW_APP });
    expect(files.get('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { AppController } from './app.controller';
import { AppService } from './app.service';
import { KindeApiKeyModule } from 'nestjs-kinde-api-key';
import { ApiKeyExampleController } from './api-key-example.controller';

@Module({
  imports: [KindeApiKeyModule.forRoot()],
  controllers: [ApiKeyExampleController, AppController],
  providers: [AppService],
})
export class AppModule {}
`);
    expect(files.get('src/api-key-example.controller.ts')).toContain('@UseGuards(ApiKeyGuard)');
  });

  it.each([
    ['src', 'test/app.e2e-spec.ts'],
    ['apps/api/src', 'apps/api/test/app.e2e-spec.ts'],
  ])('replaces Kinde in the test of a new app in %s, which has no environment', (sourceRoot, test) => {
    const { files } = add({ [`${sourceRoot}/app.module.ts`]: NEW_APP, [test]: NEW_TEST }, { sourceRoot });
    expect(files.get(test)).toBe(`import { Test, TestingModule } from '@nestjs/testing';
import { AppModule } from './../src/app.module';
import { KindeApiKeyTestingModule } from 'nestjs-kinde-api-key/testing';

describe('AppController (e2e)', () => {
  beforeEach(async () => {
    const builder = Test.createTestingModule({ imports: [AppModule] });
    KindeApiKeyTestingModule.replaceKinde(builder);
    const moduleFixture: TestingModule = await builder.compile();

    app = moduleFixture.createNestApplication();
  });
});
`);
  });

  it.each([
    ['another test', NEW_APP, NEW_TEST.replace('[AppModule]', '[OtherModule]')],
    ['the test of an app whose module it cannot change', 'export class AppModule {}', NEW_TEST],
  ])('leaves %s alone', (_case, module, test) => {
    const { files } = add({ 'src/app.module.ts': module, 'test/app.e2e-spec.ts': test });
    expect(files.get('test/app.e2e-spec.ts')).toBe(test);
  });

  it('names files with their extension where the app does', () => {
    const { files } = add({ 'src/app.module.ts': NEW_APP.replaceAll(/from '(\.[^']+)'/g, "from '$1.js'") });
    expect(files.get('src/app.module.ts')).toContain("from './api-key-example.controller.js'");
  });

  it('finds the lists of the decorator behind other brackets', () => {
    const module = `@Module({
  providers: [{ provide: 'x', useValue: { imports: [], controllers: [] } }],
  imports: [
    ConfigModule.forRoot({ isGlobal: true }),
  ],
})
export class AppModule {}
`;
    const { files } = add({ 'src/app.module.ts': module });
    expect(files.get('src/app.module.ts')).toBe(`import { KindeApiKeyModule } from 'nestjs-kinde-api-key';
import { ApiKeyExampleController } from './api-key-example.controller';
@Module({
  controllers: [ApiKeyExampleController],
  providers: [{ provide: 'x', useValue: { imports: [], controllers: [] } }],
  imports: [
    KindeApiKeyModule.forRoot(),
    ConfigModule.forRoot({ isGlobal: true }),
  ],
})
export class AppModule {}
`);
  });

  it.each([
    ['is missing', undefined],
    ['has no decorator', 'export class AppModule {}'],
    ['takes its imports from a variable', '@Module({ imports: shared, controllers: [] }) export class AppModule {}'],
  ])('leaves a root module alone that %s, and says what to add', (_case, module) => {
    const { files, warnings } = add(module === undefined ? {} : { 'src/app.module.ts': module });
    expect(files.get('src/app.module.ts')).toBe(module);
    expect(files.has('src/api-key-example.controller.ts')).toBe(false);
    expect(warnings).toEqual([
      'src/app.module.ts was not changed. Add KindeApiKeyModule.forRoot() to the imports of your root module.',
    ]);
  });

  it.each([
    ['^10.4.0', '^4.0.0'],
    ['^11.0.1', '^4.0.0'],
    ['^12.0.0', '^12.0.0'],
  ])('adds what fits Nest %s, and installs it', (nest, axios) => {
    const { files, tasks } = add({ 'package.json': manifest({ '@nestjs/core': nest }) });
    expect(JSON.parse(files.get('package.json') ?? '')).toEqual({
      name: 'app',
      dependencies: { '@nestjs/axios': axios, '@nestjs/core': nest, axios: '^1.17.0' },
    });
    expect(tasks).toEqual([{ name: 'node-package', options: { command: 'install' } }]);
  });

  it('keeps the versions that the app has', () => {
    const before = manifest({ '@nestjs/axios': '^3.1.0', '@nestjs/core': '^10.0.0', axios: '1.7.0' });
    const { files, tasks } = add({ 'package.json': before });
    expect(files.get('package.json')).toBe(before);
    expect(tasks).toEqual([]);
  });

  it('appends the variables to an example of the environment', () => {
    const { files } = add({ '.env.example': 'PORT=3000\n' });
    expect(files.get('.env.example')).toMatch(/^PORT=3000\n\n# Kinde/);
    expect(add({}).files.get('.env.example')).toMatch(/^# Kinde/);
  });

  it('changes nothing when it runs again', () => {
    const once = add({
      'package.json': manifest({ '@nestjs/core': '^12.0.0' }),
      'src/app.module.ts': NEW_APP,
      'test/app.e2e-spec.ts': NEW_TEST,
    });
    const twice = add(Object.fromEntries(once.files));
    expect(twice.files).toEqual(once.files);
    expect(twice.tasks).toEqual([]);
  });

  it('changes the app of a monorepo that the CLI names', () => {
    const { files } = add({ 'apps/api/src/app.module.ts': NEW_APP }, { sourceRoot: 'apps/api/src' });
    expect(files.get('apps/api/src/app.module.ts')).toContain('KindeApiKeyModule.forRoot()');
    expect(files.has('apps/api/src/api-key-example.controller.ts')).toBe(true);
  });

  it('prints what to do next', () => {
    expect(add({}).infos.join('\n')).toMatch(/npx nestjs-kinde-api-key emulator[^]*curl -H "Authorization: Bearer/);
  });
});
