// Makes sure that the peers are installed and that the library is built, before anything is measured.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const library = fileURLToPath(new URL('../../libs/kinde-api-key/', import.meta.url));

/**
 * Installs the peers into this folder on first use, and builds the library if a source is newer than the build: what is measured is what
 * would be published, and not a source on its way through a compiler. Nest and the library come from the repository, once, so that all
 * variants share one copy (`legacy-peer-deps` in `.npmrc`).
 */
export function prepare() {
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
  run(process.execPath, [`${library}build.mjs`, '--if-stale'], library);
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
