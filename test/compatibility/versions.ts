import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../consumer/packed-library.js';
import { fetchedFolders } from '../support/npm-programs.js';
import { type App, versionOf } from './app.js';

/** Packages whose name says little to a reader. */
const NAMES = [
  [/^node-\w+-\w+$/, 'Node'],
  [/^@oven\/bun-.*$/, 'Bun'],
  [/^@yarnpkg\/cli-dist$/, 'yarn'],
  [/^express4$/, 'express'],
] as const;

/** Packages of an app that come with others. */
const BROUGHT = ['express', 'fastify'];

/** Collects the versions that a run has met. */
export function seenVersions() {
  const seen = new Map<string, Set<string>>();
  const add = (name: string, version: string | undefined): void => {
    if (!version) return;
    const title = NAMES.reduce((text, [pattern, readable]) => text.replace(pattern, readable), name);
    seen.set(title, (seen.get(title) ?? new Set()).add(version));
  };
  const addDirect = async (folder: string, others: readonly string[] = []): Promise<void> => {
    const text = await readFile(join(folder, 'package.json'), 'utf8');
    const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
    for (const name of [...Object.keys(dependencies), ...others]) add(name, await versionOf(folder, name));
  };
  return {
    seen: (): Map<string, string> => new Map([...seen].map(([name, of]) => [name, [...of].join(', ')])),
    ofApp: ({ folder }: App): Promise<void> => addDirect(folder, BROUGHT),
    async ofFetched(): Promise<void> {
      for (const folder of await fetchedFolders()) await addDirect(folder);
      add('npm', (await run('npm', ['--version'], process.cwd())).stdout.trim());
    },
  };
}
