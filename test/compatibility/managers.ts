import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FORMATS, makeFolder, removeFolder, run, type Format } from '../consumer/packed-library.js';
import { fetchNode, fetchPackages } from '../support/npm-programs.js';
import { ask, COMPILER_OPTIONS, layOutApp, type App } from './app.js';

/** How a package manager is called. */
interface PackageManager {
  /** Package of npm that has it. npm itself comes with Node. */
  readonly from?: string;
  readonly program: string;
  /** Version of Node that it runs the app on, if not that of the tests. */
  readonly node?: string;
  readonly install: readonly string[];
  /** Arguments before a program that sees the installed packages. */
  readonly execute: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

export const MANAGERS = {
  npm: {
    program: 'npm',
    install: ['install', '--no-audit', '--no-fund'],
    execute: ['exec', '--no', '--'],
    settings: {},
  },
  pnpm: {
    from: 'pnpm',
    program: 'pnpm/bin/pnpm.mjs',
    install: ['install', '--no-frozen-lockfile'],
    execute: ['exec'],
    // Nest 10 has a script that prints a request for donations: pnpm does not run it, and must not fail for it.
    settings: { 'pnpm-workspace.yaml': 'packages: []\nstrictDepBuilds: false\n' },
  },
  'yarn PnP': {
    from: '@yarnpkg/cli-dist',
    node: '24',
    program: '@yarnpkg/cli-dist/bin/yarn.js',
    install: ['install', '--no-immutable'],
    execute: [],
    settings: { '.yarnrc.yml': 'nodeLinker: pnp\nenableTelemetry: false\n', 'yarn.lock': '' },
  },
} satisfies Record<string, PackageManager>;
export type ManagerName = keyof typeof MANAGERS;

/** Installs an app with a package manager, compiles it in both formats, and runs it. Returns the first error, or an empty text. */
export async function checkManager({ nest, tarball }: App, name: ManagerName): Promise<string> {
  const manager: PackageManager = MANAGERS[name];
  const folder = await makeFolder();
  const call = await commandOf(manager);
  const start = (args: readonly string[], cwd: string) => run(call[0], [...call.slice(1), ...args], cwd);
  try {
    const packages = [...nest.packages, 'typescript@5.9', `nestjs-kinde-api-key@file:${tarball}`];
    const dependencies = Object.fromEntries(
      packages.map((text) => [text.replace(/(.)@.*/, '$1'), text.replace(/^.[^@]*@/, '')]),
    );
    for (const [file, text] of Object.entries(manager.settings)) await writeFile(join(folder, file), text);
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
    const installed = await start(manager.install, folder);
    if (installed.code !== 0) return installed.stdout + installed.stderr;
    await layOutApp(folder);
    for (const format of Object.keys(FORMATS) as Format[]) {
      const compilerOptions = { ...COMPILER_OPTIONS, module: 'nodenext', outDir: 'tsc' };
      await writeFile(join(folder, format, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
      const compiled = await start([...manager.execute, 'tsc', '-p', format], folder);
      if (compiled.code !== 0) return compiled.stdout + compiled.stderr;
      const failure = await ask({ folder }, format, 'tsc/start.js', 'express', [...call, ...manager.execute, 'node']);
      if (failure) return failure;
    }
    return '';
  } finally {
    await removeFolder(folder);
  }
}

async function commandOf({ from, program, node }: PackageManager): Promise<[string, ...string[]]> {
  if (!from) return [program];
  return [node ? await fetchNode(node) : process.execPath, join(await fetchPackages(from), 'node_modules', program)];
}
