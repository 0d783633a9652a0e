// Runs the tests under the supported Node versions that are not installed, each fetched from npm into a temporary folder:
//
//     npm run test:node-versions                     all tests
//     npm run test:node-versions -- test/consumer    tests whose path matches
//
// Fails on a failing test and on a warning from Node.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VERSIONS = ['20.19', '22', '24', '26'].filter(
  (version) => !process.version.startsWith(`v${version.slice(0, 2)}.`),
);
const PLATFORM = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

/** Installs a Node version into a folder and returns the path of its executable. */
function fetchNode(version, folder) {
  const isWindows = process.platform === 'win32';
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const args = ['install', '--no-audit', '--no-fund', `node-${PLATFORM}@${version}`];
  execFileSync('npm', args, { cwd: folder, shell: isWindows, stdio: ['ignore', 'ignore', 'inherit'] });
  const packageFolder = join(
    folder,
    'node_modules',
    readdirSync(join(folder, 'node_modules')).find((name) => name.startsWith('node-')),
  );
  return join(packageFolder, 'bin', isWindows ? 'node.exe' : 'node');
}

/** Runs the tests and prints their output. Returns whether they passed, and the warnings from Node. */
async function runTests(node, patterns) {
  const tests = spawn(node, ['node_modules/jest/bin/jest.js', ...patterns], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of ['stdout', 'stderr']) {
    tests[stream].setEncoding('utf8').on('data', (text) => {
      process[stream].write(text);
      output += text;
    });
  }
  const [code] = await once(tests, 'close');
  return { hasPassed: code === 0, warnings: output.match(/^\(node:\d+\) .*$/gm) ?? [] };
}

for (const wanted of VERSIONS) {
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-kinde-api-key-node-'));
  try {
    const node = fetchNode(wanted, folder);
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    console.log(`\n=== Node ${version}`);
    const { hasPassed, warnings } = await runTests(node, process.argv.slice(2));
    console.log(`\n=== Node ${version}: ${hasPassed ? 'passed' : 'failed'}, ${warnings.length} warnings`);
    if (!hasPassed || warnings.length > 0) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
