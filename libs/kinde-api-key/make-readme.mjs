// Makes the README of the package from the one at the top of the repository. Removes the parts between `<!-- repository only -->` and
// `<!-- /repository only -->`, comments, and links to files that do not ship. Other links become relative to the package: `docs/…`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '../..');
const PACKAGE_FOLDER = 'libs/kinde-api-key/';

/** Writes `README.md` beside this file. */
export function makeReadme() {
  writeFileSync(
    join(import.meta.dirname, 'README.md'),
    readmeForPackage(readFileSync(join(REPOSITORY, 'README.md'), 'utf8')),
  );
}

/** @param {string} text the README of the repository */
function readmeForPackage(text) {
  const shared = text.replaceAll(/<!-- repository only -->[^]*?<!-- \/repository only -->\n*/g, '');
  if (/<!-- \/?repository only -->/.test(shared))
    throw new Error('README.md: a "repository only" comment has no counterpart');
  return outsideCode(shared, (prose) => prose.replaceAll(/<!--[^]*?-->\n/g, '').replaceAll(LINK, rewriteLink));
}

/** A Markdown link. Its label may contain code but not another link. */
const LINK = /(?<!!)\[(?<label>[^\][]*)\]\((?<target>[^)\s]+)\)/g;

function rewriteLink(link, label, target) {
  if (/^(#|[a-z][a-z0-9+.-]*:)/i.test(target)) return link;
  const [path = '', anchor] = target.split('#');
  const inPackage = pathInPackage(posix.normalize(path));
  if (inPackage === undefined) return label;
  return `[${label}](${inPackage}${anchor === undefined ? '' : `#${anchor}`})`;
}

/** @returns where a file of the repository is in the package, or `undefined` if it does not ship */
function pathInPackage(path) {
  const inside = path.startsWith(PACKAGE_FOLDER) ? path.slice(PACKAGE_FOLDER.length) : path;
  const isShipped = inside.startsWith('docs/') || /^(LICENSE|CHANGELOG\.md|SECURITY\.md)$/.test(inside);
  return isShipped && existsSync(join(REPOSITORY, path)) ? inside : undefined;
}

function outsideCode(text, change) {
  const parts = text.split(/(^```[^]*?^```$)/m);
  return parts.map((part, index) => (index % 2 === 0 ? change(part) : part)).join('');
}
