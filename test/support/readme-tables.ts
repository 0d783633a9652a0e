import { curlOf, DEMO_CALLS } from '../../apps/sample/src/demo/demo-calls.js';
import { KEYS, TRUTH_TABLE, type KeyKind } from './truth-table.js';

/** @returns the text between `<!-- name... -->` and `<!-- /name -->` */
export function sectionOf(readme: string, name: string): string {
  const match = new RegExp(`<!-- ${name}[^>]*-->\\n([\\s\\S]*?)\\n?<!-- /${name} -->`).exec(readme);
  if (!match) throw new Error(`README.md has no section ${name}`);
  return (match[1] ?? '').trim();
}

/** @returns the README with another text in a section */
export function withSection(readme: string, name: string, text: string): string {
  return readme.replace(
    new RegExp(`(<!-- ${name}[^>]*-->\\n)[\\s\\S]*?(<!-- /${name} -->)`),
    (_all, start: string, end: string) => `${start}\n${text}\n\n${end}`,
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

/** The truth table, as the README shows it. */
export function truthTableMarkdown(): string {
  const kinds = Object.keys(KEYS) as KeyKind[];
  const head = ['on the class', 'on the method', 'inherited', ...kinds];
  const rows = TRUTH_TABLE.map(({ onClass, onMethod, inherited, outcomes }) => [
    code(onClass),
    code(onMethod),
    inherited.replace(/: (.*)/, ': `$1`'),
    ...kinds.map((kind) => outcomes[kind].replace(/_/g, ' ').toLowerCase()),
  ]);
  return table([head, ...rows]);
}

/** The demo calls, as the README shows them. */
export function demoCallsMarkdown(): string {
  const calls = DEMO_CALLS.map(
    (call) =>
      `# ${call.shows}: ${call.answer.status}, with ${call.answer.contains}\n${curlOf(call, 'http://127.0.0.1:3000')}`,
  );
  return ['```sh', ...calls, '```'].join('\n');
}

function code(text: string): string {
  return text && `\`${text}\``;
}

function table([head = [], ...rows]: readonly string[][]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
