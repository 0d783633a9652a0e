// Makes sure that what is measured is there.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const library = fileURLToPath(new URL('../../libs/kinde-api-key/', import.meta.url));

/**
 * Builds the library if a source is newer than the build: what is measured is what would be published, and not a source on its way through
 * a compiler.
 */
export function prepareLibrary() {
  run(process.execPath, [`${library}build.mjs`, '--if-stale'], library);
}

/**
 * Installs what the library is measured against into this folder, on first use. Nest and the library come from the repository, once, so that
 * all variants share one copy (`legacy-peer-deps` in `.npmrc`).
 */
export function preparePeers() {
  if (!isInstalled()) {
    console.error('Installing what the library is measured against ...');
    run('npm', [
      existsSync(`${here}package-lock.json`) ? 'ci' : 'install',
      '--prefix',
      here,
      '--no-audit',
      '--no-fund',
    ]);
  }
}

/** Whether the lock file that npm leaves in `node_modules` names every package of ours in the wanted version. */
function isInstalled() {
  const installed = `${here}node_modules/.package-lock.json`;
  const wanted = `${here}package-lock.json`;
  if (!existsSync(installed) || !existsSync(wanted)) return false;
  const { packages } = JSON.parse(readFileSync(installed, 'utf8'));
  return Object.entries(JSON.parse(readFileSync(wanted, 'utf8')).packages).every(
    ([path, { version, optional }]) => path === '' || optional || packages[path]?.version === version,
  );
}

function run(command, args, cwd = here) {
  execFileSync(command, args, { cwd, stdio: ['ignore', process.stderr, 'inherit'] });
}
