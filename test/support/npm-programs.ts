import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, npm, removeFolder } from '../consumer/packed-library.js';

/** Versions of Node that the library runs on. */
export const NODES = ['20.19', '22', '24', '26'];

const PLATFORM = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

const fetched = new Map<string, Promise<string>>();

/** Installs packages from npm into a folder of their own, once in a process. Returns this folder. */
export function fetchPackages(...packages: readonly string[]): Promise<string> {
  const name = packages.join(' ');
  const known = fetched.get(name);
  if (known) return known;
  const folder = install(packages);
  fetched.set(name, folder);
  return folder;
}

/** Returns the folders of what was fetched. */
export async function fetchedFolders(): Promise<string[]> {
  const folders = await Promise.allSettled(fetched.values());
  return folders.flatMap((folder) => (folder.status === 'fulfilled' ? folder.value : []));
}

/** Removes what was fetched. */
export async function removeFetched(): Promise<void> {
  for (const folder of await fetchedFolders()) await removeFolder(folder);
  fetched.clear();
}

/** Returns the path of the executable of a Node version: of this process, if it has it. */
export async function fetchNode(version: string): Promise<string> {
  if (`${process.version}.`.startsWith(`v${version}.`)) return process.execPath;
  const name = `node-${PLATFORM}`;
  const isWindows = process.platform === 'win32';
  const folder = await fetchPackages(`${name}@${version}`);
  return join(folder, 'node_modules', name, 'bin', isWindows ? 'node.exe' : 'node');
}

/** Returns the path of the executable of Bun. */
export async function fetchBun(): Promise<string> {
  const name = `@oven/bun-${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  return join(await fetchPackages(name), 'node_modules', name, 'bin', 'bun');
}

async function install(packages: readonly string[]): Promise<string> {
  const folder = await makeFolder();
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }));
  await npm(['install', '--no-audit', '--no-fund', ...packages], folder);
  return folder;
}
