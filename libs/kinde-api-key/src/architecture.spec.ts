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

/** The module of a file: its first folder, or the file itself where it stands beside `index.ts`. */
function moduleOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? file) : file;
}

const IMPORTS = FILES.flatMap(importsOf);
const WITHIN = IMPORTS.filter(({ isPackage, from, to }) => !isPackage && moduleOf(from) !== moduleOf(to));

/** Everything may import these. The shared store is a port: an interface without code. */
const LEAVES = [
  'api-key',
  'clock.ts',
  'copies.ts',
  'listeners.ts',
  'log.ts',
  'nearest-name.ts',
  'kinde-api-key.errors.ts',
  'shared/shared-store.ts',
];

/** The modules that each module may import, besides the leaves. Downward only: see the map in CONTRIBUTING.md. */
const ALLOWED: Record<string, readonly string[]> = {
  'index.ts': [
    'audit',
    'kinde-api-key.module.ts',
    'kinde-api-key.options.ts',
    'doctor',
    'guard',
    'rules',
    'responses',
    'verification',
    'keys',
    'kinde',
    'observability',
  ],
  'kinde-api-key.module.ts': [
    'kinde-api-key.module-definition.ts',
    'kinde-api-key.options.ts',
    'kinde-api-key.providers.ts',
    'audit',
    'doctor',
    'guard',
    'keys',
    'verification',
    'shared',
    'kinde',
    'config',
    'observability',
  ],
  'kinde-api-key.providers.ts': [
    'kinde-api-key.module-definition.ts',
    'kinde-api-key.options.ts',
    'audit',
    'contexts',
    'doctor',
    'guard',
    'rules',
    'handlers',
    'responses',
    'verification',
    'rate-limit',
    'shared',
    'kinde',
    'config',
  ],
  'kinde-api-key.module-definition.ts': ['kinde-api-key.options.ts', 'guard', 'config'],
  'kinde-api-key.options.ts': ['config'],
  audit: ['guard', 'rules', 'handlers', 'config'],
  guard: [
    'contexts',
    'rules',
    'responses',
    'verification',
    'rate-limit',
    'handlers',
    'kinde/kinde-connection.ts',
    'config',
  ],
  keys: ['guard/api-key.guard.ts', 'guard/request-state.ts', 'rules', 'rate-limit', 'verification', 'kinde'],
  observability: ['verification'],
  contexts: ['rules/http-request.ts', 'responses/http-response.ts', 'config'],
  responses: ['rules', 'rate-limit', 'config'],
  rules: ['handlers', 'rate-limit', 'config'],
  handlers: [],
  shared: ['verification', 'rate-limit', 'kinde', 'config'],
  verification: ['kinde', 'config'],
  'rate-limit': ['config'],
  kinde: ['config'],
  config: [],
  'api-key': [],
  tokens: ['guard/principal-source.ts', 'guard/credential-reader.ts', 'rules/http-request.ts', 'kinde', 'config'],
  testing: [
    'kinde-api-key.module.ts',
    'kinde-api-key.options.ts',
    'kinde-api-key.providers.ts',
    'guard/request-state.ts',
    'kinde',
    'config',
  ],
  opentelemetry: ['guard/registration.ts', 'kinde'],
  doctor: ['rules', 'kinde', 'config'],
  schematics: [],
  openapi: ['audit', 'responses', 'rules', 'rate-limit', 'config'],
  cli: ['testing', 'doctor', 'audit', 'openapi', 'kinde', 'config'],
};

/** What a folder inside a module may import of that module, besides itself. */
const ALLOWED_INSIDE: Record<string, readonly string[]> = {
  'kinde/token': ['kinde/answers', 'kinde/limits', 'kinde'],
  'kinde/limits': ['kinde'],
  'kinde/answers': ['kinde'],
  'doctor/checks': ['doctor'],
  'guard/outside-http': ['guard'],
  'guard/streams': ['guard'],
  'shared/redis': [],
};

function listed(imports: readonly Import[]): string[] {
  return imports.map(({ from, to }) => `${from} -> ${to}`);
}

describe('source files', () => {
  it('are all found, with their imports', () => {
    expect(FILES).toEqual(
      expect.arrayContaining(['index.ts', 'guard/api-key.guard.ts', 'kinde/axios-http.ts', 'testing/index.ts']),
    );
    expect(listed(importsOf('rules/access.decorators.ts'))).toEqual([
      'rules/access.decorators.ts -> config/fresh-verification-options.ts',
      'rules/access.decorators.ts -> config/option-kinds.ts',
      'rules/access.decorators.ts -> rules/org-target.ts',
      'rules/access.decorators.ts -> rules/rule-storage.ts',
    ]);
    expect(listed(importsOf('index.ts'))).toContain('index.ts -> api-key/verdict.ts');
  });

  it('import files that exist', () => {
    expect(listed(IMPORTS.filter(({ to, isPackage }) => !isPackage && !FILES.includes(to)))).toEqual([]);
  });

  it('import modules below their own only', () => {
    const upward = WITHIN.filter(({ from, to }) => {
      const allowed = [...LEAVES, ...(ALLOWED[moduleOf(from)] ?? [])];
      return !allowed.includes(moduleOf(to)) && !allowed.includes(to);
    });
    expect(listed(upward)).toEqual([]);
  });

  it('import folders below their own only, inside a module', () => {
    const upward = IMPORTS.filter(({ from, to, isPackage }) => {
      const allowed = ALLOWED_INSIDE[dirname(from)];
      return (
        allowed && !isPackage && moduleOf(from) === moduleOf(to) && ![dirname(from), ...allowed].includes(dirname(to))
      );
    });
    expect(listed(upward).filter((arrow) => !arrow.endsWith(' -> shared/shared-store.ts'))).toEqual([]);
  });

  it('have no import cycles', () => {
    const cycles: string[] = [];
    const finished = new Set<string>();
    const follow = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (finished.has(file) || path.includes(file)) return;
      for (const { from, to, isPackage } of IMPORTS) if (from === file && !isPackage) follow(to, [...path, file]);
      finished.add(file);
    };
    for (const file of FILES) follow(file, []);
    expect(cycles).toEqual([]);
  });

  it('do not import the subpath for access tokens, so that jose is needed there alone', () => {
    expect(listed(WITHIN.filter(({ to }) => moduleOf(to) === 'tokens'))).toEqual([]);
    const users = IMPORTS.filter(({ to }) => to === 'jose').map(({ from }) => from);
    expect(users).toEqual(['tokens/access-token-verifier.ts']);
  });

  it('do not import the subpath for OpenTelemetry, so that @opentelemetry/api is needed there alone', () => {
    expect(listed(WITHIN.filter(({ to }) => moduleOf(to) === 'opentelemetry'))).toEqual([]);
    const users = IMPORTS.filter(({ to }) => to.startsWith('@opentelemetry/')).map(({ from }) => moduleOf(from));
    expect(new Set(users)).toEqual(new Set(['opentelemetry']));
  });

  it('do not import the test kit, except for the command line', () => {
    const users = WITHIN.filter(({ to }) => moduleOf(to) === 'testing').map(({ from }) => moduleOf(from));
    expect(new Set(users)).toEqual(new Set(['cli']));
  });

  it('decide about access without knowing anything but the caller and the rule', () => {
    const imports = IMPORTS.filter(({ from }) => from === 'rules/access-decision.ts').map(({ to }) => to);
    expect(new Set(imports)).toEqual(new Set(['api-key/principal.ts']));
  });

  it('have at most 200 lines', () => {
    const long = FILES.map(
      (file) => [file, readFileSync(join(__dirname, file), 'utf8').split('\n').length - 1] as const,
    );
    expect(long.filter(([, lines]) => lines > 200)).toEqual([]);
  });

  it('stand in folders of at most 14 files, specs not counted', () => {
    const counts = new Map<string, number>();
    for (const file of FILES) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    expect([...counts].filter(([folder, count]) => count > 14 && !folder.startsWith('testing'))).toEqual([]);
  });
});

describe('packages', () => {
  /** Where Nest may be imported; everything else is plain TypeScript. */
  const EDGE =
    /^(guard|rules|handlers|audit|responses|contexts)\/|^kinde-api-key\.(module|module-definition|options|providers)\.ts$|^keys\/(keys\.providers|api-key-self\.controller)\.ts$|^observability\/observability\.providers\.ts$|^openapi\/(document-api-keys|occurring-refusals)\.ts$|^opentelemetry\/kinde-api-key-telemetry\.ts$|^kinde\/axios-http\.ts$|^testing\/kit\/|^cli\/run-app\.ts$|^tokens\/(kinde-access-tokens|api-key-token-exchange)\.ts$/;
  /** Decides, parses or compiles: plain TypeScript although its module is at the edge. */
  const PURE = /^rules\/(access-decision|route-rule)\.ts$|^responses\/answers\.ts$/;

  it('of Nest are imported at the edge only', () => {
    const nest = IMPORTS.filter(({ to }) => to.startsWith('@nestjs/'));
    expect(nest.length).toBeGreaterThan(10);
    expect(listed(nest.filter(({ from }) => !EDGE.test(from) || PURE.test(from)))).toEqual([]);
  });

  it('that carry HTTP are imported by one adapter only', () => {
    const http = IMPORTS.filter(({ to }) => to === 'axios' || to === '@nestjs/axios').map(({ from }) => from);
    expect(new Set(http)).toEqual(new Set(['kinde/axios-http.ts']));
  });

  it('are all declared, except for those of Node', () => {
    const { dependencies, peerDependencies } = JSON.parse(
      readFileSync(join(__dirname, '../package.json'), 'utf8'),
    ) as Record<'dependencies' | 'peerDependencies', Record<string, string>>;
    const declared = Object.keys({ ...dependencies, ...peerDependencies });
    const imported = IMPORTS.filter(({ isPackage, to }) => isPackage && !to.startsWith('node:')).map(({ to }) =>
      to
        .split('/')
        .slice(0, to.startsWith('@') ? 2 : 1)
        .join('/'),
    );
    expect([...new Set(imported)].filter((name) => !declared.includes(name))).toEqual([]);
  });
});
