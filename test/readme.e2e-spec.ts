import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ANSWERS } from '../libs/kinde-api-key/src/responses/answers.js';
import { resolveOptions } from '../libs/kinde-api-key/src/config/resolved-options.js';
import { planTable } from './bench/simulation/plans.js';
import { demoCallsMarkdown, rowsOf, sectionOf, truthTableMarkdown, withSection } from './support/readme-tables.js';

const ROOT = join(__dirname, '..');
const README = join(ROOT, 'README.md');
const EMULATOR_README = join(ROOT, 'libs/kinde-api-key/src/testing/README.md');
const readme = () => readFileSync(README, 'utf8');

describe('README.md', () => {
  it.each([
    ['truth table', truthTableMarkdown],
    ['demo calls', demoCallsMarkdown],
    ['plan', () => planTable()],
  ])('shows the %s as it is tested (UPDATE_README=1 writes it anew)', (name, render) => {
    if (process.env.UPDATE_README === '1') writeFileSync(README, withSection(readme(), name, render()));
    expect(sectionOf(readme(), name)).toBe(render());
  });

  it('lists every error with the status and challenge that the guard gives it', () => {
    const documented = rowsOf(sectionOf(readme(), 'errors')).map(([code, status, challenge]) => ({
      code,
      status,
      challenge,
    }));
    const answers = Object.values(ANSWERS).map((answer) => ({
      code: `\`${answer.code}\``,
      status: String(answer.statusCode),
      challenge: !('challenge' in answer)
        ? 'none'
        : answer.challenge === null
          ? 'without an error'
          : `\`${String(answer.challenge)}\``,
    }));
    const byCode = new Map(answers.map((answer) => [answer.code, answer]));
    expect(documented).toEqual([...byCode.values()]);
  });

  it('lists every option with its default', () => {
    const documented = Object.fromEntries(
      rowsOf(sectionOf(readme(), 'options')).map(([option = '', value = '']) => [option, value]),
    );
    const { kinde, http, cache, guard, rateLimit } = resolveOptions(
      { domain: 'acme', clientId: 'id', clientSecret: 'secret', rateLimit: {} },
      {},
    );
    const { timeoutMs, retries, maxConcurrent, maxPerSecond, maxQueued } = kinde;
    const defaults = {
      ...prefixed('cache.', cache ?? {}),
      ...prefixed('rateLimit.', rateLimit ?? {}),
      ...prefixed('kinde.', { timeoutMs, retries, maxConcurrent, maxPerSecond, maxQueued, http }),
      credentials: guard.credentials,
      keyPrefixes: guard.keyPrefixes,
      orgParam: guard.orgParam,
      hideExistence: guard.hideExistence,
      realm: guard.realm,
      guardedBy: guard.guardedBy,
    };
    for (const [option, value] of Object.entries(defaults)) {
      const shown = typeof value === 'string' ? value : JSON.stringify(value);
      expect({ option, value: documented[`\`${option}\``] }).toEqual({ option, value: `\`${shown}\`` });
    }
    const elsewhere = [
      'domain',
      'clientId',
      'clientSecret',
      'audience',
      'apiId',
      'isGlobal',
      'globalGuard',
      'cache',
      'failedAttempts',
      'shared',
      'rateLimit',
      'kinde.allowInsecureHost',
      'onDecision',
    ];
    expect(Object.keys(documented).sort()).toEqual(
      [...Object.keys(defaults), ...elsewhere].map((option) => `\`${option}\``).sort(),
    );
  });

  it.each([README, EMULATOR_README])('has examples that compile: %s', (file) => {
    const examples = [...readFileSync(file, 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
      ([, example = '']) => example,
    );
    expect(examples.length).toBeGreaterThan(0);
    expect(diagnosticsOf(examples)).toEqual([]);
  });
});

function prefixed(prefix: string, values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value as unknown]));
}

/** What the compiler says of texts that are no files, each a module of its own beside this test. */
function diagnosticsOf(examples: readonly string[]): string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, noEmit: true, rootDir: ROOT },
    ROOT,
  );
  const files = new Map(examples.map((example, index) => [join(__dirname, `readme-example-${index}.ts`), example]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.readFile = (name) => files.get(name) ?? readFile.call(host, name);
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const example = files.get(name);
    return example === undefined
      ? getSourceFile.call(host, name, languageVersion, ...rest)
      : ts.createSourceFile(name, example, languageVersion, true);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files.keys()].flatMap((name) => {
    const source = program.getSourceFile(name);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${name.slice(ROOT.length + 1)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
  });
}
