// Makes the pages of the package from those at the top of the repository. Removes the parts between `<!-- repository only -->` and
// `<!-- /repository only -->` and comments, and changes links: to `docs/…`, which ships at the same place in the repository; to the repository,
// for what does not, if package.json names it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '../..');
const PACKAGE_FOLDER = 'libs/kinde-api-key/';
const SHIPPED = ['README.md', 'CHANGELOG.md', 'SECURITY.md'];

/** Writes the pages beside this file. */
export function makePages() {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'));
  for (const page of SHIPPED) {
    const text = readFileSync(join(REPOSITORY, page), 'utf8');
    writeFileSync(join(import.meta.dirname, page), pageForPackage(page, text, repositoryAddress(manifest)));
  }
}

/** @returns the address of the repository in the browser, or `undefined` if the package does not name it */
export function repositoryAddress({ repository }) {
  const url = typeof repository === 'string' ? repository : repository?.url;
  const address = url
    ?.replace(/^github:/, 'https://github.com/')
    .replace(/^git\+/, '')
    .replace(/\.git$/, '');
  return address?.startsWith('https://') ? address : undefined;
}

/**
 * @param {string} page its name, for errors
 * @param {string} text as it is in the repository
 * @param {string | undefined} address of the repository in the browser
 */
export function pageForPackage(page, text, address) {
  const shared = text.replaceAll(/<!-- repository only -->[^]*?<!-- \/repository only -->\n*/g, '');
  if (/<!-- \/?repository only -->/.test(shared))
    throw new Error(`${page}: a "repository only" comment has no counterpart`);
  return outsideCode(shared, (prose) =>
    prose
      .replaceAll(/<!--[^]*?-->\n/g, '')
      .replaceAll(LINK, (link, label, target) => linkInPackage(link, label, target, address)),
  );
}

/** A Markdown link. Its label may contain code but not another link. */
const LINK = /(?<!!)\[(?<label>[^\][]*)\]\((?<target>[^)\s]+)\)/g;

function linkInPackage(link, label, target, address) {
  if (/^(#|[a-z][a-z0-9+.-]*:)/i.test(target)) return link;
  const [path, hash = ''] = target.split(/(?=#)/);
  const inRepository = posix.normalize(path);
  if (!existsSync(join(REPOSITORY, inRepository))) return label;
  if (inRepository.startsWith(`${PACKAGE_FOLDER}docs/`))
    return `[${label}](${inRepository.slice(PACKAGE_FOLDER.length)}${hash})`;
  // npm's website reads a relative link as a path below the package's folder in the repository, where these pages are not.
  if (address !== undefined) return `[${label}](${address}/blob/HEAD/${inRepository}${hash})`;
  return [...SHIPPED, 'LICENSE'].includes(inRepository) ? link : label;
}

function outsideCode(text, change) {
  const parts = text.split(/(^```[^]*?^```$)/m);
  return parts.map((part, index) => (index % 2 === 0 ? change(part) : part)).join('');
}
