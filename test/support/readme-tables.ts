import { curlOf, DEMO_CALLS, type DemoCall } from '../../apps/sample/src/demo/demo-calls.js';
import { CALLERS_TABLE, RULES } from './callers-table.js';
import { KEYS, TRUTH_TABLE, type KeyKind } from './truth-table.js';

/** The calls of the sample that the README shows. */
const FIRST_CALLS = ['the right key', 'no key', "another organization's key"];

/** The truth table, as the page on routes shows it. */
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

/** Who gets what, as the page on callers shows it. */
export function callersTableMarkdown(): string {
  const rows = CALLERS_TABLE.map(({ caller, outcomes }) => [
    caller,
    ...outcomes.map((outcome) => outcome.replace(/_/g, ' ').toLowerCase()),
  ]);
  return table([['caller', ...RULES.map(code)], ...rows]);
}

/** All demo calls, as the README of the sample shows them. */
export function demoCallsMarkdown(): string {
  return shell(DEMO_CALLS.map((call) => `# ${call.shows}: ${answerOf(call)}\n${commandOf(call)}`));
}

/** Some demo calls, as the README shows them. */
export function firstDemoCallsMarkdown(): string {
  const calls = DEMO_CALLS.filter(({ shows }) => FIRST_CALLS.includes(shows));
  return shell(calls.map((call) => `${commandOf(call)} # ${answerOf(call)}`));
}

function answerOf({ answer }: DemoCall): string {
  return `${answer.status}, with ${answer.contains}`;
}

function commandOf(call: DemoCall): string {
  return curlOf(call, 'http://127.0.0.1:3000');
}

function shell(lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n');
}

function code(text: string): string {
  return text && `\`${text}\``;
}

function table([head = [], ...rows]: readonly string[][]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
