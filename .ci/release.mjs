// Says what is missing before a release. Run from the top of the repository:
//
//     node .ci/release.mjs                 the form of CHANGELOG.md
//     node .ci/release.mjs v1.2.3          also what must hold when this tag is published
//     node .ci/release.mjs --write-links   writes the links at the end of CHANGELOG.md, from `repository` in the package.json of the library
//
// Prints one line for each problem, and then ends with 1.
import { readFileSync, writeFileSync } from 'node:fs';
import { repositoryAddress } from '../libs/kinde-api-key/make-pages.mjs';

const CHANGELOG = 'CHANGELOG.md';
const MANIFEST = 'libs/kinde-api-key/package.json';
const SECTIONS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
const OWNER = 'see "Before the first release" in CONTRIBUTING.md';

const argument = process.argv[2];
const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8'));
const changelog = readFileSync(CHANGELOG, 'utf8');
/** `## [1.2.3] - 2026-12-31`: version, what follows it, and the text up to the next one. */
const entries = changelog
  .split(/^(?=## )/m)
  .slice(1)
  .map((text) => {
    const [, version, date] = /^## \[(.+?)\](?: - (.+))?$/m.exec(text) ?? [];
    return { text: text.replace(/^\[.+?\]: .*$/gm, ''), version, date };
  });
const versions = entries.map(({ version }) => version);
const links = expectedLinks();

if (argument === '--write-links') writeLinks();
else report([...formProblems(), ...(argument === undefined ? [] : releaseProblems(argument))]);

/** Returns a link for every heading: what changed since the version below it. */
function expectedLinks() {
  const address = repositoryAddress(manifest);
  if (address === undefined) return [];
  return versions.map((version, index) => {
    const tag = version === 'Unreleased' ? 'HEAD' : `v${version}`;
    const before = versions[index + 1];
    return `[${version}]: ${address}/${before === undefined ? `releases/tag/${tag}` : `compare/v${before}...${tag}`}`;
  });
}

function formProblems() {
  const problems = [];
  if (versions[0] !== 'Unreleased') problems.push(`${CHANGELOG}: the first heading is not "## [Unreleased]"`);
  for (const [index, version] of versions.entries()) {
    if (version === undefined) problems.push(`${CHANGELOG}: a heading is not of the form "## [1.2.3] - 2026-12-31"`);
    else if (index > 0 && !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      problems.push(`${CHANGELOG}: [${version}] is not a version`);
    else if (index > 1 && !isNewer(versions[index - 1], version))
      problems.push(`${CHANGELOG}: [${version}] is not in order`);
  }
  for (const [, title] of changelog.matchAll(/^### (.+)$/gm))
    if (!SECTIONS.includes(title)) problems.push(`${CHANGELOG}: "### ${title}" is not one of ${SECTIONS.join(', ')}`);
  for (const { version, date } of entries.slice(1))
    if (date !== 'unreleased' && !/^\d{4}-\d\d-\d\d$/.test(date ?? ''))
      problems.push(`${CHANGELOG}: [${version}] has no date`);
  if (linksIn(changelog).join('\n') !== links.join('\n'))
    problems.push(
      `${CHANGELOG}: the links at its end are not those of the headings. Run: node .ci/release.mjs --write-links`,
    );
  return problems;
}

function releaseProblems(tag) {
  const problems = [];
  const entry = entries.find(({ version }) => `v${version}` === tag);
  if (tag !== `v${manifest.version}`)
    problems.push(`${MANIFEST}: the version is ${manifest.version}, and the tag is ${tag}`);
  if (!entry) problems.push(`${CHANGELOG}: there is no heading for ${tag}`);
  else if (entry.date === 'unreleased') problems.push(`${CHANGELOG}: [${entry.version}] has no date`);
  else if (!/^- /m.test(entry.text)) problems.push(`${CHANGELOG}: [${entry.version}] names no change`);
  if (/^- /m.test(entries[0]?.text ?? ''))
    problems.push(`${CHANGELOG}: move the changes of [Unreleased] under the new version`);
  for (const field of ['repository', 'homepage', 'bugs', 'author'])
    if (!manifest[field]) problems.push(`${MANIFEST}: "${field}" is missing: ${OWNER}`);
  if (manifest.repository && links.length === 0) problems.push(`${MANIFEST}: "repository" is not an https address`);
  if (manifest.repository && manifest.repository.directory !== 'libs/kinde-api-key')
    problems.push(
      `${MANIFEST}: "repository.directory" is not libs/kinde-api-key, and links of the README would lead nowhere on npmjs.com`,
    );
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env;
  if (name && links.length > 0 && repositoryAddress(manifest) !== `${server}/${name}`)
    problems.push(`${MANIFEST}: "repository" is not ${server}/${name}, and npm would refuse the provenance`);
  if (readFileSync('SECURITY.md', 'utf8').includes('To be filled in by the owner'))
    problems.push(`SECURITY.md: it does not say where to report a weakness: ${OWNER}`);
  return problems;
}

function linksIn(text) {
  return text.match(/^\[.+?\]: .*$/gm) ?? [];
}

/** Before a release of the same numbers, as in semver: 1.0.0-rc.1 is older than 1.0.0. */
function isNewer(version, other) {
  const [[numbers, pre], [otherNumbers, otherPre]] = [version, other].map((text = '') => text.split(/-(.*)/));
  const order = numbers.localeCompare(otherNumbers, 'en', { numeric: true });
  if (order !== 0) return order > 0;
  return pre === undefined
    ? otherPre !== undefined
    : otherPre !== undefined && pre.localeCompare(otherPre, 'en', { numeric: true }) > 0;
}

function writeLinks() {
  if (links.length === 0) report([`${MANIFEST}: "repository" is missing: ${OWNER}`]);
  else writeFileSync(CHANGELOG, `${changelog.replace(/^\[.+?\]: .*\n?/gm, '').trimEnd()}\n\n${links.join('\n')}\n`);
}

function report(problems) {
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
