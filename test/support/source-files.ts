import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './markdown.js';

/** @returns the files below a folder, as paths from the top of the repository; specs only on demand */
export function sourceFiles(folder: string, { withSpecs = false } = {}): string[] {
  return readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .filter((file) => /\.(ts|md)$/.test(file) && (withSpecs || !file.endsWith('.spec.ts')))
    .sort();
}
