import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';

interface Import {
  /** Relative to the sources, e.g. `guard/answers.ts`. */
  readonly from: string;
  /** Another source file in the same form, or the name of a package. */
  readonly to: string;
  readonly isPackage: boolean;
}

const FILES = readdirSync(__dirname, { recursive: true, encoding: 'utf8' })
  .map((file) => file.split(sep).join('/'))
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
  .toSorted();

/** Every import, export from and dynamic import, those of types included. */
const SPECIFIER =
  /(?:^|[\s;}])(?:import|export)\s(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

function importsOf(file: string): Import[] {
  const source = readFileSync(join(__dirname, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');
  return [...source.matchAll(SPECIFIER)].map(([, fixed, dynamic]) => {
    const specifier = fixed ?? dynamic ?? '';
    const isPackage = !specifier.startsWith('.');
    const to = isPackage ? specifier : pathOf(file, specifier);
    return { from: file, to, isPackage };
  });
}

function pathOf(file: string, specifier: string): string {
  const path = normalize(join(__dirname, dirname(file), specifier.replace(/\.js$/, '.ts')));
  return relative(__dirname, path).split(sep).join('/');
}

/** The first folder of a file; files beside `index.ts` stand for themselves. */
function roomOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? file) : file;
}

const IMPORTS = FILES.flatMap(importsOf);
const WITHIN = IMPORTS.filter(({ isPackage, from, to }) => !isPackage && roomOf(from) !== roomOf(to));

const LEAVES = [
  'clock.ts',
  'decision.ts',
  'kinde-api-key.errors.ts',
  'shared-store.ts',
  'slot-index.ts',
  'verified-api-key.ts',
];
/** What is checked and resolved before any room is built. */
const OPTIONS = [
  'kinde-api-key.options.ts',
  'kinde-origin.ts',
  'options-reader.ts',
  'resolved-options.ts',
  'resolved-rate-limit.ts',
];

/** Which rooms and files a room may import, leaves always. Downward only. */
const ALLOWED: Record<string, readonly string[]> = {
  'index.ts': ['kinde-api-key.module.ts', 'kinde-api-key.options.ts', 'guard', 'verification', 'kinde'],
  'kinde-api-key.module.ts': [
    'kinde-api-key.module-definition.ts',
    ...OPTIONS,
    'audit',
    'guard',
    'verification',
    'rate-limit',
    'fleet',
    'kinde',
  ],
  'kinde-api-key.module-definition.ts': ['kinde-api-key.options.ts', 'guard'],
  'resolved-options.ts': OPTIONS,
  'resolved-rate-limit.ts': ['options-reader.ts', 'rate-limit'],
  audit: ['guard', 'authorization'],
  guard: [
    'verification',
    'authorization',
    'rate-limit',
    'kinde',
    'kinde-api-key.options.ts',
    'resolved-options.ts',
    'resolved-rate-limit.ts',
  ],
  fleet: ['verification', 'kinde'],
  verification: ['kinde'],
  authorization: [],
  'rate-limit': [],
  kinde: ['kinde-api-key.options.ts'],
  // a subpath: knows the port and nothing of the core
  redis: [],
  testing: [],
  cli: ['testing'],
};

function listed(imports: readonly Import[]): string[] {
  return imports.map(({ from, to }) => `${from} -> ${to}`);
}

describe('the sources', () => {
  it('are all read', () => {
    expect(FILES).toEqual(
      expect.arrayContaining(['index.ts', 'guard/api-key.guard.ts', 'kinde/axios-http.ts', 'testing/index.ts']),
    );
    expect(listed(importsOf('guard/rule-store.ts'))).toEqual([
      'guard/rule-store.ts -> reflect-metadata',
      'guard/rule-store.ts -> guard/rule-part.ts',
    ]);
    expect(listed(importsOf('index.ts'))).toContain('index.ts -> kinde/verdict.ts');
  });

  it('import files that exist', () => {
    expect(listed(IMPORTS.filter(({ to, isPackage }) => !isPackage && !FILES.includes(to)))).toEqual([]);
  });

  it('import downward only', () => {
    const upward = WITHIN.filter(({ from, to }) => {
      const allowed = [...LEAVES, ...(ALLOWED[roomOf(from)] ?? [])];
      return !allowed.includes(roomOf(to));
    });
    expect(listed(upward)).toEqual([]);
  });

  it('import each other in no circle', () => {
    const circles: string[] = [];
    const finished = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (finished.has(file) || path.includes(file)) return;
      for (const { from, to, isPackage } of IMPORTS) if (from === file && !isPackage) visit(to, [...path, file]);
      finished.add(file);
    };
    for (const file of FILES) visit(file, []);
    expect(circles).toEqual([]);
  });

  it('do not know the stand-ins for tests, the command line excepted', () => {
    const users = WITHIN.filter(({ to }) => roomOf(to) === 'testing').map(({ from }) => roomOf(from));
    expect(new Set(users)).toEqual(new Set(['cli']));
  });

  it('know no room but leaves where they decide about access', () => {
    const known = WITHIN.filter(({ from }) => roomOf(from) === 'authorization').map(({ to }) => to);
    expect(new Set(known)).toEqual(new Set(['verified-api-key.ts']));
  });
});

describe('packages', () => {
  const EDGE = /^(guard|audit)\/|^kinde-api-key\.module(-definition)?\.ts$|^kinde\/axios-http\.ts$/;

  it('of Nest are used at the edge only', () => {
    const nest = IMPORTS.filter(({ to }) => to.startsWith('@nestjs/'));
    expect(nest.length).toBeGreaterThan(10);
    expect(listed(nest.filter(({ from }) => !EDGE.test(from)))).toEqual([]);
  });

  it('that carry HTTP are used in the one adapter alone', () => {
    const http = IMPORTS.filter(({ to }) => to === 'axios' || to === '@nestjs/axios').map(({ from }) => from);
    expect(new Set(http)).toEqual(new Set(['kinde/axios-http.ts']));
  });

  it('are all declared, those of Node excepted', () => {
    const { dependencies, peerDependencies } = JSON.parse(
      readFileSync(join(__dirname, '../package.json'), 'utf8'),
    ) as Record<'dependencies' | 'peerDependencies', Record<string, string>>;
    const declared = Object.keys({ ...dependencies, ...peerDependencies });
    const used = IMPORTS.filter(({ isPackage, to }) => isPackage && !to.startsWith('node:')).map(({ to }) =>
      to
        .split('/')
        .slice(0, to.startsWith('@') ? 2 : 1)
        .join('/'),
    );
    expect([...new Set(used)].filter((name) => !declared.includes(name))).toEqual([]);
  });
});
