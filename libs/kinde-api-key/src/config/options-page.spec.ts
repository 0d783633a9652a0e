import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import ts from 'typescript';
import { REDIS_STORE_OPTIONS } from '../shared/redis/redis-store.js';
import { CONNECTION_OPTIONS, HTTP_OPTIONS } from './connection-options.js';
import { CREDENTIAL_OPTIONS } from './credential-options.js';
import { EXTRA_OPTIONS } from './extra-options.js';
import { CACHE_OPTIONS, MODULE_OPTIONS } from './module-options.js';
import { FRESH_VERIFICATION_OPTIONS } from './fresh-verification-options.js';
import type { OptionKind, OptionTable } from './option-kinds.js';
import { FAILED_ATTEMPTS_OPTIONS, RATE_LIMIT_OPTIONS, ROUTE_RATE_LIMIT_OPTIONS } from './rate-limit-options.js';

const PAGE = join(__dirname, '../../docs/options.md');
const SOURCES = [
  ...readdirSync(__dirname).filter((file) => file.endsWith('-options.ts')),
  '../shared/redis/redis-store.ts',
].map((file) => join(__dirname, file));

/** Every table, by the name of its constant. */
const TABLES: Readonly<Record<string, OptionTable>> = {
  CACHE_OPTIONS,
  CONNECTION_OPTIONS,
  CREDENTIAL_OPTIONS,
  EXTRA_OPTIONS,
  FAILED_ATTEMPTS_OPTIONS,
  FRESH_VERIFICATION_OPTIONS,
  HTTP_OPTIONS,
  MODULE_OPTIONS,
  RATE_LIMIT_OPTIONS,
  REDIS_STORE_OPTIONS,
  ROUTE_RATE_LIMIT_OPTIONS,
};

/** The tables that the page shows; nested tables follow their option. */
const SECTIONS: Readonly<Record<string, OptionTable>> = {
  options: MODULE_OPTIONS,
  extras: EXTRA_OPTIONS,
  'rate-limit': ROUTE_RATE_LIMIT_OPTIONS,
  'fresh-verification': FRESH_VERIFICATION_OPTIONS,
  'redis-store': REDIS_STORE_OPTIONS,
};

interface Option {
  /** Path of the option, e.g. `cache.ttlMs`. */
  readonly name: string;
  readonly kind: OptionKind<unknown, unknown>;
  /** Its docstring, on one line. */
  readonly doc: string;
}

/** @returns the docstrings of every object literal in a file, by the constant's name and the property's */
function docstringsOf(file: string): [string, Map<string, string>][] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const declarations = source.statements
    .filter(ts.isVariableStatement)
    .flatMap((each) => each.declarationList.declarations);
  return declarations.flatMap(({ name, initializer }): [string, Map<string, string>][] => {
    if (!initializer || !ts.isObjectLiteralExpression(initializer)) return [];
    const docs = initializer.properties.map((property): [string, string] => {
      const text = ts.getJSDocCommentsAndTags(property).map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '');
      return [property.name?.getText() ?? '', text.join(' ').replaceAll(/\s+/g, ' ')];
    });
    return [[name.getText(), new Map(docs)]];
  });
}

const DOCSTRINGS = new Map(
  SOURCES.flatMap(docstringsOf)
    .filter(([constant]) => constant in TABLES)
    .map(([constant, docs]) => [TABLES[constant], docs]),
);

function optionsOf(table: OptionTable, prefix = ''): Option[] {
  return Object.entries(table).flatMap(([field, kind]) => {
    const name = prefix + field;
    const nested = kind.fields ? optionsOf(kind.fields, name === 'credentials' ? `${name}[].` : `${name}.`) : [];
    return [{ name, kind, doc: DOCSTRINGS.get(table)?.get(field) ?? '' }, ...nested];
  });
}

const OPTIONS = Object.values(SECTIONS).flatMap((table) => optionsOf(table));

function grouped(text: string): string {
  return text.replaceAll(/\d{4,}/g, (digits) => Number(digits).toLocaleString('en'));
}

/** What the docstring of a whole number says before its default, or an empty text. */
function rangeOf({ takes, unit }: Option['kind']): string {
  const [, range] = /^a whole number from (\d+ to \d+)/.exec(takes) ?? [];
  return range ? `${unit ? 'In milliseconds, ' : ''}${grouped(range)}. ` : '';
}

/** How the docstring must state the default. Where the table has none, the rest of the sentence is free. */
function defaultOf({ kind }: Option): string {
  if (kind.env) return `Default: the environment variable \`${kind.env}\``;
  if (kind.missing) return 'Required.';
  if (typeof kind.default === 'number') return `Default ${grouped(String(kind.default))}.`;
  return kind.default === undefined
    ? 'Default: '
    : `Default \`${inspect(kind.default).replace('[ ', '[').replace(' ]', ']')}\`.`;
}

function rowOf(option: Option): string {
  const { name, kind, doc } = option;
  const [, meaning = '', stated = ''] = /^(.*?)((?:Default:? |Required\.).*)$/.exec(doc) ?? [];
  const values = grouped(kind.takes) + (kind.unit ? ', in milliseconds' : '');
  const cells = [
    `\`${name}\``,
    values,
    stated
      .replace(/^Default:? (.*)\.$/, '$1')
      .replace('Required.', 'required')
      .replace(/see \{@link \w+\}/, 'see below'),
    meaning.replace(rangeOf(kind), ''),
  ];
  return `| ${cells
    .map((cell) =>
      cell
        .trim()
        .replaceAll(/\{@link (\w+)\}/g, '`$1`')
        .replaceAll('|', '\\|'),
    )
    .join(' | ')} |`;
}

function tableOf(table: OptionTable): string {
  return ['| option | accepts | default | meaning |', '| --- | --- | --- | --- |', ...optionsOf(table).map(rowOf)].join(
    '\n',
  );
}

function sectionPattern(name: string): RegExp {
  return new RegExp(`(<!-- ${name}:[^>]*-->\\n\\n)([\\s\\S]*?)(\\n\\n<!-- /${name} -->)`);
}

describe('docs/options.md', () => {
  it.each(Object.entries(SECTIONS))(
    'shows the table %s as the code has it (UPDATE_DOCS=1 writes it)',
    (name, table) => {
      const page = readFileSync(PAGE, 'utf8');
      const written = page.replace(
        sectionPattern(name),
        (_all, start: string, _old, end: string) => start + tableOf(table) + end,
      );
      if (process.env.UPDATE_DOCS === '1') writeFileSync(PAGE, written);
      expect(sectionPattern(name).exec(readFileSync(PAGE, 'utf8'))?.[2]).toBe(tableOf(table));
    },
  );

  it('names every environment variable, and no other', () => {
    const named = readFileSync(PAGE, 'utf8').match(/\bKINDE_(?!API_KEY_)[A-Z_]+\b/g);
    const read = OPTIONS.flatMap(({ kind }) => kind.env ?? []);
    expect([...new Set(named)].toSorted()).toEqual(read.toSorted());
  });
});

describe('the docstring', () => {
  it.each(OPTIONS.map((option) => [option.name, option] as const))(
    'of %s states its range and default',
    (_name, option) => {
      expect(option.doc).toContain(rangeOf(option.kind) + defaultOf(option));
    },
  );

  it('of every option is found', () => {
    expect(OPTIONS.length).toBeGreaterThan(40);
    expect(OPTIONS.filter(({ doc }) => doc === '').map(({ name }) => name)).toEqual([]);
  });

  it('of every option has sentences of at most 25 words', () => {
    const sentences = OPTIONS.flatMap(({ name, doc }) =>
      doc.split(/(?<=[.;:]) /).map((sentence) => ({ name, sentence })),
    );
    expect(sentences.filter(({ sentence }) => sentence.split(' ').length > 25)).toEqual([]);
  });
});
