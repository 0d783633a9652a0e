import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ANSWERS, type AnswerName } from '../libs/kinde-api-key/src/responses/answers.js';
import type { ApiKeyRefusalBody } from '../libs/kinde-api-key/src/responses/api-key-refused.exception.js';
import { RefusalFactory } from '../libs/kinde-api-key/src/responses/refusal-factory.js';
import { resolveOptions } from '../libs/kinde-api-key/src/config/resolved-options.js';
import { planTable } from './bench/simulation/plans.js';
import { compileExamples } from './support/example-compiler.js';
import {
  brokenLinks,
  DOCS,
  docsPages,
  examplesOf,
  linksOf,
  read,
  REPOSITORY,
  rowsOf,
  sectionOf,
  withSection,
} from './support/markdown.js';
import {
  callersTableMarkdown,
  demoCallsMarkdown,
  firstDemoCallsMarkdown,
  truthTableMarkdown,
} from './support/readme-tables.js';
import { sourceFiles } from './support/source-files.js';

const OTHER_PAGES = [
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'apps/sample/README.md',
  'test/mutation/README.md',
];
const PAGES = ['README.md', ...docsPages(), ...OTHER_PAGES.filter((page) => existsSync(join(REPOSITORY, page)))];

/** Blocks of TypeScript are compiled. */
const LANGUAGES = new Set(['http', 'json', 'sh', 'text', 'ts', 'yaml']);

const CODES = Object.values(ANSWERS).map(({ code, statusCode, challenge }) => ({
  code: `\`${code}\``,
  status: String(statusCode),
  challenge,
}));

describe('README.md', () => {
  it('has at most 180 lines', () => {
    expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(180);
  });

  it('lists every code under its status', () => {
    const documented = Object.fromEntries(
      rowsOf(sectionOf('README.md', 'codes')).map(([status = '', codes = '']) => [status, codes.split(', ').sort()]),
    );
    const expected: Record<string, string[]> = {};
    for (const { code, status } of CODES) expected[status] = [...new Set([...(expected[status] ?? []), code])].sort();
    expect(documented).toEqual(expected);
  });

  it('shows defaults as the code has them', () => {
    const { guard, ...others } = resolveOptions({ domain: 'acme', clientId: 'id', clientSecret: 'secret' }, {});
    const { apiId } = others.kinde;
    const rows = rowsOf(sectionOf('README.md', 'defaults')).map(([option = '', value]) => [
      option.replaceAll('`', ''),
      value,
    ]);
    expect(rows.length).toBeGreaterThanOrEqual(6);
    for (const [option = '', value] of rows) {
      const found = valueAt({ ...guard, ...others, apiId }, option);
      expect({ option, value }).toEqual({ option, value: found === null ? 'unset' : `\`${JSON.stringify(found)}\`` });
    }
  });
});

describe('pages', () => {
  it.each([
    ['README.md', 'some demo calls', firstDemoCallsMarkdown],
    ['apps/sample/README.md', 'demo calls', demoCallsMarkdown],
    [`${DOCS}/routes.md`, 'truth table', truthTableMarkdown],
    [`${DOCS}/callers.md`, 'callers table', callersTableMarkdown],
    [`${DOCS}/multiple-instances.md`, 'plan', () => planTable()],
  ])('show, in %s, the section "%s" as the code has it (UPDATE_README=1 rewrites it)', (page, name, render) => {
    if (process.env.UPDATE_README === '1') writeFileSync(join(REPOSITORY, page), withSection(page, name, render()));
    expect(sectionOf(page, name)).toBe(render());
  });

  it('list every error with the status and challenge that the guard sends', () => {
    const documented = rowsOf(sectionOf(`${DOCS}/errors.md`, 'errors')).map(([code, status, challenge]) => ({
      code,
      status,
      challenge,
    }));
    const answers = CODES.map(({ challenge, ...answer }) => ({
      ...answer,
      challenge: challenge === undefined ? 'none' : challenge === null ? 'without an error' : `\`${challenge}\``,
    }));
    expect(documented).toEqual([...new Map(answers.map((answer) => [answer.code, answer])).values()]);
  });

  it('list, for every error, what its hint says', () => {
    const credentials = [{ header: 'authorization', scheme: 'Bearer' }];
    const factory = new RefusalFactory({ credentials, realm: 'api', hideExistence: false });
    const documented = rowsOf(sectionOf(`${DOCS}/errors.md`, 'errors')).map((cells) => [cells[0], cells.at(-1)]);
    const answers = Object.entries(ANSWERS).map(([name, { code }]) => {
      const { hint = 'none' } = factory.refuse(name as AnswerName).getResponse() as ApiKeyRefusalBody;
      return [`\`${code}\``, hint.replaceAll('<', '\\<')] as const; // Markdown would read a tag
    });
    expect(documented).toEqual([...new Map(answers)]);
  });

  it('quote, in troubleshooting.md, messages that the sources contain', () => {
    const quoted = read(`${DOCS}/troubleshooting.md`)
      .split('\n')
      .filter((line) => line.startsWith('| "'))
      .map((line) => line.split('"')[1] ?? '');
    const sources = sourceFiles('libs/kinde-api-key/src').map(read).join('\n');
    expect(quoted.length).toBeGreaterThan(5);
    expect(quoted.filter((message) => !sources.includes(message))).toEqual([]);
  });

  it('have examples that compile', () => {
    const examples = PAGES.flatMap(examplesOf);
    expect(examples.length).toBeGreaterThan(10);
    const [first] = examples;
    // The README's first example is the module that a later one imports.
    expect(compileExamples(examples, (example) => (example === first ? 'app.module' : undefined))).toEqual([]);
  }, 120_000);

  it('have a language on every block of code, so that each is checked as what it is', () => {
    const blocks = PAGES.flatMap((page) => [...read(page).matchAll(/^ *```(.*)\n([^]*?)^ *```$/gm)]);
    expect(blocks.length).toBeGreaterThan(50);
    expect(new Set(blocks.map(([, language]) => language))).toEqual(LANGUAGES);
    for (const [, language, text = ''] of blocks)
      if (language === 'json') expect(() => JSON.parse(text) as unknown).not.toThrow();
  });

  it('have links that lead to a file and a heading', () => {
    expect(PAGES.flatMap((page) => brokenLinks(page).map((link) => `${page}: ${link}`))).toEqual([]);
  });

  it('in docs link only to each other, so that the links work in the package too', () => {
    const outside = docsPages().flatMap((page) => linksOf(page).filter((link) => !/^([\w-]+\.md)?(#|$)/.test(link)));
    expect(outside).toEqual([]);
  });

  it('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = PAGES.flatMap((page) => [...read(page).matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name));
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('name only paths of the repository that exist', () => {
    const named = PAGES.flatMap((page) => [...read(page).matchAll(/`((?:libs|apps|test|\.ci|\.github)\/[\w./-]+)`/g)]);
    const paths = named.map(([, path = '']) => path).filter((path) => !path.includes('*'));
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([]);
  });

  it('map every folder of the sources and the tests in CONTRIBUTING.md', () => {
    const contributing = read('CONTRIBUTING.md');
    const expected = [
      ...foldersOf('libs/kinde-api-key/src').map((folder) => `| \`${folder}\` |`),
      ...foldersOf('test').map((folder) => `| \`test/${folder}\` |`),
    ];
    expect(expected.length).toBeGreaterThan(20);
    expect(expected.filter((row) => !contributing.includes(row))).toEqual([]);
  });

  it('are each linked from README.md', () => {
    expect(docsPages().filter((page) => !linksOf('README.md').includes(page))).toEqual([]);
  });
});

function foldersOf(folder: string): string[] {
  return readdirSync(join(REPOSITORY, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** @returns the value of `cache.ttlMs` and the like */
function valueAt(options: object, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], options);
}
