import { docsPages, read, rowsOf, sectionOf } from './support/markdown.js';
import { ALLOWED, PLAIN_PHRASES, RETIRED_PHRASES, RETIRED_WORDS } from './support/retired-words.js';
import { sourceFiles } from './support/source-files.js';

const PAGES = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', ...docsPages()];
const SOURCES = sourceFiles('libs/kinde-api-key/src', { withSpecs: true });
const MAX_GLOSSARY_NOUNS = 25;

describe('the language of the project', () => {
  it.each([
    ['pages', PAGES],
    ['sources', SOURCES],
  ])('has no retired word in its %s', (_name, files) => {
    expect(files.length).toBeGreaterThan(3);
    expect(files.flatMap(retiredIn)).toEqual([]);
  });

  it('finds a retired word in a text, in an identifier and across capitals', () => {
    const found = (line: string) => findings('some/file.ts', line, 7);
    expect(found('Whoever asks')).toEqual(['some/file.ts:7: "whoever": the request, the client, the caller']);
    expect(found('const isProven = true;')).toEqual(['some/file.ts:7: "proven": known, previously accepted']);
    expect(found('A key that Is  None')).toEqual(['some/file.ts:7: "is none": is not, does not']);
    expect(found('const PROVEN_KEYS = 1;')).toEqual(['some/file.ts:7: "proven": known, previously accepted']);
    expect(found('a mushroom is nonempty, in place of a number')).toEqual([]);
  });

  it('allows only exceptions that are in use', () => {
    const inUse = ALLOWED.filter(({ file, word }) => wordsOf(read(file)).includes(word));
    expect(ALLOWED).toEqual(inUse);
  });

  it(`has a glossary of at most ${MAX_GLOSSARY_NOUNS} nouns`, () => {
    const nouns = rowsOf(sectionOf('CONTRIBUTING.md', 'glossary')).map(([noun]) => noun);
    expect(nouns.length).toBeGreaterThan(15);
    expect(nouns.length).toBeLessThanOrEqual(MAX_GLOSSARY_NOUNS);
    expect(new Set(nouns).size).toBe(nouns.length);
  });
});

/** @returns each retired word of a file, with its line and what to write instead; line 0 is the file's name */
function retiredIn(file: string): string[] {
  const lines = [file.split('/').at(-1) ?? '', ...read(file).split('\n')];
  return lines.flatMap((line, number) => findings(file, line, number));
}

function findings(file: string, line: string, number: number): string[] {
  const words = new Set(wordsOf(PLAIN_PHRASES.reduce((rest, phrase) => rest.replaceAll(phrase, ''), line)));
  const text = line.toLowerCase().replaceAll(/\s+/g, ' ');
  const retired = [
    ...Object.entries(RETIRED_WORDS).filter(([word]) => words.has(word) && !isAllowed(file, word)),
    ...Object.entries(RETIRED_PHRASES).filter(([phrase]) => new RegExp(`\\b${phrase}\\b`).test(text)),
  ];
  return retired.map(([word, instead]) => `${file}:${number}: "${word}": ${instead}`);
}

/** The words of a text in lower case. `isProven` and `IS_PROVEN` are two words each. */
function wordsOf(text: string): string[] {
  return (text.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []).map((word) => word.toLowerCase());
}

function isAllowed(file: string, word: string): boolean {
  return ALLOWED.some((exception) => exception.file === file && exception.word === word);
}
