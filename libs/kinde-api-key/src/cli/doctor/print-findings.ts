import { styleText } from 'node:util';
import type { Finding } from '../../doctor/finding.js';
import type { CliIo } from '../cli-io.js';

const WIDTH = 80;
const INDENT = '    ';

const MARKS = {
  ok: { mark: 'ok', color: 'green' },
  warning: { mark: 'warning', color: 'yellow' },
  problem: { mark: 'PROBLEM', color: 'red' },
} as const;

/** Returns findings for a terminal of 80 columns: a line for what is well, and what it means and what to do for the rest. */
export function printFindings(findings: readonly Finding[], io: Pick<CliIo, 'hasColors'>): string {
  const counted = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  const summary = `${count(counted('problem'), 'problem')}, ${count(counted('warning'), 'warning')}, ${counted('ok')} ok`;
  return `${[...findings.map((finding) => describe(finding, io.hasColors)), '', summary].join('\n')}\n`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function describe({ code, status, seen, means, cure }: Finding, hasColors: boolean): string {
  const { mark, color } = MARKS[status];
  const first = wrap(`${mark.padEnd(8)}${code}: ${seen}`);
  const painted = hasColors ? first.replace(mark, styleText(color, mark, { validateStream: false })) : first;
  const details = [means, cure && `-> ${cure}`].filter((text) => text !== '');
  return [painted, ...details.map((text) => INDENT + wrap(text, WIDTH - INDENT.length))].join('\n');
}

/** Breaks a text at blanks, and indents all lines but the first. A word that is longer than a line stays whole, so that it can be copied. */
function wrap(text: string, firstWidth = WIDTH): string {
  const [start = '', ...words] = text.split(/(?<! ) (?! )/);
  const lines = [start];
  for (const word of words) {
    const width = lines.length === 1 ? firstWidth : WIDTH - INDENT.length;
    const line = lines.at(-1) ?? '';
    if (line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join(`\n${INDENT}`);
}
