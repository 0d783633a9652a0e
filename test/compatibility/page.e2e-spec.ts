import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIBRARY } from '../consumer/packed-library.js';
import { NODES } from '../support/npm-programs.js';
import { NESTS } from './axes.js';
import { CELLS, titleOf } from './cells.js';
import { type Findings, MARKS, renderPage, type Result } from './page.js';

const PAGE = join(LIBRARY, 'docs/compatibility.md');

const page = readFileSync(PAGE, 'utf8');

/** Returns the cells of a table's lines. */
function cellsOf(section: string): string[][] {
  const lines = section.split('\n').filter((line) => /^\|(?! ---)/.test(line));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((text) => text.trim()),
  );
}

/** Returns the text under a heading. */
function section(heading: string): string {
  return page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
}

/** Reads what the page says. */
function readFindings(): Findings {
  const notes = [...section('Notes').matchAll(/^\d+\. (.*)$/gm)].map(([, note]) => note);
  const results = CELLS.map(({ table, row, column }): Result => {
    const [titles = [], ...rows] = cellsOf(section(table));
    const text = rows.find(([title]) => title === row)?.[titles.indexOf(column)] ?? '';
    const [mark = '', note] = text.split(/ \((\d+)\)/);
    const [name] = Object.entries(MARKS).find(([, written]) => written === mark) ?? [];
    if (!name) throw new Error(`The page has no result of ${titleOf({ table, row, column })}: npm run compatibility`);
    const reason = note === undefined ? undefined : notes[Number(note) - 1];
    return { table, row, column, mark: name as Result['mark'], ...(reason === undefined ? {} : { reason }) };
  });
  const [, ...versions] = cellsOf(section('Versions'));
  return {
    results,
    versions: new Map(versions.map(([name = '', of = '']) => [name, of])),
    day: /on (\d{4}-\d\d-\d\d)\./.exec(page)?.[1] ?? '',
    node: /on Node ([\d.]+)/.exec(page)?.[1] ?? '',
  };
}

describe('docs/compatibility.md', () => {
  it('has the rows, columns and sentences of the script, for every combination', () => {
    const written = renderPage(readFindings());
    if (process.env['UPDATE_DOCS']) writeFileSync(PAGE, written);
    else expect(page).toBe(written);
  });

  it('has no failure of the library', () => {
    expect(readFindings().results.filter(({ mark }) => mark === 'red')).toEqual([]);
  });

  it('explains every other combination that does not work', () => {
    const failing = readFindings().results.filter(({ mark }) => mark !== 'ok');
    expect(failing.filter(({ reason }) => !reason)).toEqual([]);
  });

  it('has every major version of Nest, and the oldest Node, that package.json allows', () => {
    const manifest = JSON.parse(readFileSync(join(LIBRARY, 'package.json'), 'utf8')) as {
      engines: { node: string };
      peerDependencies: Record<string, string>;
    };
    const majors = [...new Set(NESTS.map(({ title }) => `^${/\d+/.exec(title)?.[0]}.0.0`))].toSorted();
    for (const name of ['@nestjs/common', '@nestjs/core'])
      expect(manifest.peerDependencies[name]?.split(' || ')).toEqual(majors);
    expect(manifest.engines.node).toMatch(new RegExp(`^\\^${NODES[0]}\\.`));
  });
});
