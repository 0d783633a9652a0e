import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** The top of this repository. */
export const REPOSITORY = join(__dirname, '../..');

/** Folder of the pages, which ship with the package. */
export const DOCS = 'libs/kinde-api-key/docs';

/** @returns the text of a file of the repository */
export function read(file: string): string {
  return readFileSync(join(REPOSITORY, file), 'utf8');
}

/** @returns the pages of {@link DOCS}, as paths from the top of the repository */
export function docsPages(): string[] {
  return readdirSync(join(REPOSITORY, DOCS))
    .filter((file) => file.endsWith('.md'))
    .sort()
    .map((file) => `${DOCS}/${file}`);
}

/**
 * @param top the folder that the path of the page begins at
 * @returns every link of a page that does not lead to a file below that folder and, with an anchor, to one of its headings
 */
export function brokenLinks(page: string, top = REPOSITORY): string[] {
  return linksOf(page, top).filter((link) => {
    const [path = '', anchor] = link.split('#');
    const file = path === '' ? page : normalize(join(dirname(page), path));
    if (file.startsWith('..') || !existsSync(join(top, file))) return true;
    return anchor !== undefined && !headingsOf(readFileSync(join(top, file), 'utf8')).includes(anchor);
  });
}

/** A link or an image, its definition at the end of a page, and the attributes of HTML. */
const LINK = /\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s*(\S+)|\b(?:href|src)="([^"]+)"/gm;

/** @returns the targets of all relative links of a page */
export function linksOf(page: string, top = REPOSITORY): string[] {
  return [...withoutCode(readFileSync(join(top, page), 'utf8')).matchAll(LINK)]
    .map(([, inline, defined, attribute]) => inline ?? defined ?? attribute ?? '')
    .filter((target) => !/^[a-z]+:/i.test(target));
}

/** @returns the names that the headings of a text have in links */
export function headingsOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => slug(title));
}

/** An example of a page: where it begins, and its text. */
export interface Example {
  readonly file: string;
  readonly line: number;
  readonly code: string;
}

/** @returns the blocks of a page that are marked as TypeScript */
export function examplesOf(file: string): Example[] {
  const text = read(file);
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(({ index, 1: code = '' }) => ({
    file,
    line: text.slice(0, index).split('\n').length + 1,
    code,
  }));
}

/** @returns the text between `<!-- name: ... -->` and `<!-- /name -->` */
export function sectionOf(page: string, name: string): string {
  const match = sectionPattern(name).exec(read(page));
  if (!match) throw new Error(`${page} has no section ${name}`);
  return (match[2] ?? '').trim();
}

/** @returns the page with another text in a section */
export function withSection(page: string, name: string, text: string): string {
  return read(page).replace(
    sectionPattern(name),
    (_all, start: string, _old: string, end: string) => `${start}${text}\n${end}`,
  );
}

/** @returns the rows of a Markdown table without its head, each a list of cells */
export function rowsOf(table: string): string[][] {
  const lines = table.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .replaceAll('\\|', '\u0000')
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replaceAll('\u0000', '|').trim()),
  );
}

function sectionPattern(name: string): RegExp {
  return new RegExp(`(<!-- ${name}:[^>]*-->\\n)([\\s\\S]*?)(<!-- /${name} -->)`);
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[^]*?^```$/gm, '');
}

/** As GitHub names headings. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
