// Runs the tests under the supported Node versions that are not installed, each fetched from npm into a temporary folder:
//
//     npm run test:node-versions                     all tests
//     npm run test:node-versions -- test/consumer    tests whose path matches
//
// Fails on a failing test and on a warning from Node.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fetchNode, NODES, removeFetched } from '../support/npm-programs.js';

/** Runs the tests and prints their output. Returns whether they passed, and the warnings from Node. */
async function runTests(node: string, patterns: readonly string[]) {
  const tests = spawn(node, ['node_modules/jest/bin/jest.js', ...patterns], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of ['stdout', 'stderr'] as const) {
    tests[stream].setEncoding('utf8').on('data', (text: string) => {
      process[stream].write(text);
      output += text;
    });
  }
  const [code] = (await once(tests, 'close')) as [number | null];
  return { hasPassed: code === 0, warnings: output.match(/^\(node:\d+\) .*$/gm) ?? [] };
}

for (const wanted of NODES) {
  if (process.version.startsWith(`v${wanted.slice(0, 2)}.`)) continue;
  try {
    const node = await fetchNode(wanted);
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    console.log(`\n=== Node ${version}`);
    const { hasPassed, warnings } = await runTests(node, process.argv.slice(2));
    console.log(`\n=== Node ${version}: ${hasPassed ? 'passed' : 'failed'}, ${warnings.length} warnings`);
    if (!hasPassed || warnings.length > 0) process.exitCode = 1;
  } finally {
    await removeFetched();
  }
}
