import { styleText } from 'node:util';
import type { Finding } from '../doctor/finding.js';
import type { CliIo } from './cli-io.js';

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
  const summary = `${counted('problem')} problems, ${counted('warning')} warnings, ${counted('ok')} ok`;
  return `${[...findings.map((finding) => describe(finding, io.hasColors)), '', summary].join('\n')}\n`;
}

function describe({ code, status, seen, means, cure }: Finding, hasColors: boolean): string {
  const { mark, color } = MARKS[status];
  const head = `${mark.padEnd(8)}${code}: `;
  const painted = hasColors ? styleText(color, mark.padEnd(8), { validateStream: false }) : mark.padEnd(8);
  const first = wrap(`${head}${seen}`, INDENT).replace(mark.padEnd(8), painted);
  const details = [means, cure && `-> ${cure}`].filter((text) => text !== '');
  return [first, ...details.map((text) => wrap(`${INDENT}${text}`, INDENT))].join('\n');
}

/** Breaks a text at blanks. A word that is longer than the line stays whole, so that it can be copied. */
function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line.trim() !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else line = line === '' && lines.length === 0 ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}
