import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, removeFolder, REPOSITORY, run, type Run } from './consumer/packed-library.js';

const MANIFEST = 'libs/kinde-api-key/package.json';

/** What only the owner can say. */
const OF_THE_OWNER = {
  repository: { type: 'git', url: 'git+https://github.com/acme/keys.git', directory: 'libs/kinde-api-key' },
  homepage: 'https://github.com/acme/keys#readme',
  bugs: 'https://github.com/acme/keys/issues',
  author: 'Acme',
};

const CHANGELOG = `# Changelog

## [Unreleased]

## [1.1.0] - 2026-12-31

### Added

- A thing.

## [1.0.0] - 2026-12-01

### Added

- Everything.
`;

const LINKS = `
[Unreleased]: https://github.com/acme/keys/compare/v1.1.0...HEAD
[1.1.0]: https://github.com/acme/keys/compare/v1.0.0...v1.1.0
[1.0.0]: https://github.com/acme/keys/releases/tag/v1.0.0
`;

let folder: string;

/** Runs the check in a folder. */
function check(cwd: string, ...args: string[]): Promise<Run> {
  return run(process.execPath, [join(REPOSITORY, '.ci/release.mjs'), ...args], cwd);
}

/** Lays out what the check reads. */
async function layOut(
  changelog: string,
  manifest: object = {},
  security = 'Write to security@acme.test.',
): Promise<void> {
  await mkdir(join(folder, 'libs/kinde-api-key'), { recursive: true });
  await writeFile(join(folder, MANIFEST), JSON.stringify({ version: '1.1.0', ...manifest }));
  await writeFile(join(folder, 'CHANGELOG.md'), changelog);
  await writeFile(join(folder, 'SECURITY.md'), security);
}

beforeEach(async () => {
  folder = await makeFolder();
  delete process.env.GITHUB_REPOSITORY;
});
afterEach(() => removeFolder(folder));

describe('the check before a release', () => {
  it('finds nothing wrong with the form of CHANGELOG.md', async () => {
    expect(await check(REPOSITORY)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('names what only the owner can fill in', async () => {
    await layOut(CHANGELOG, {}, await readFile(join(REPOSITORY, 'SECURITY.md'), 'utf8'));
    const { code, stderr } = await check(folder, 'v1.1.0');
    const lines = ['repository', 'homepage', 'bugs', 'author'].map((field) => `${MANIFEST}: "${field}" is missing`);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toEqual(
      [...lines, 'SECURITY.md: it does not say where to report a weakness'].map(
        (line) => `${line}: see "Before the first release" in CONTRIBUTING.md`,
      ),
    );
  });

  it('demands a compare link for every version once the repository is known, and writes them', async () => {
    await layOut(CHANGELOG, OF_THE_OWNER);
    expect(await check(folder)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Run: node .ci/release.mjs --write-links') as string,
    });
    for (const _time of ['once', 'twice']) expect(await check(folder, '--write-links')).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, 'CHANGELOG.md'), 'utf8')).toBe(CHANGELOG + LINKS);
    expect(await check(folder, 'v1.1.0')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('does not write links without a repository', async () => {
    await layOut(CHANGELOG);
    expect(await check(folder, '--write-links')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"repository"'),
    });
    expect(await readFile(join(folder, 'CHANGELOG.md'), 'utf8')).toBe(CHANGELOG);
  });

  it.each([
    ['no [Unreleased]', CHANGELOG.replace('## [Unreleased]\n\n', ''), 'the first heading is not "## [Unreleased]"'],
    ['versions in the wrong order', CHANGELOG.replace('[1.1.0]', '[0.9.0]'), '[1.0.0] is not in order'],
    ['a version twice', CHANGELOG.replace('[1.1.0]', '[1.0.0]'), '[1.0.0] is not in order'],
    ['a release before its candidate', CHANGELOG.replace('[1.1.0]', '[1.0.0-rc.1]'), '[1.0.0] is not in order'],
    ['a heading of another form', CHANGELOG.replace('[1.1.0]', '1.1.0'), 'a heading is not of the form'],
    ['a version without a date', CHANGELOG.replace(' - 2026-12-31', ''), '[1.1.0] has no date'],
    ['another kind of change', CHANGELOG.replace('### Added', '### New'), '"### New" is not one of'],
  ])('refuses a changelog with %s', async (_name, changelog, problem) => {
    await layOut(changelog);
    expect(await check(folder)).toMatchObject({ code: 1, stderr: expect.stringContaining(problem) as string });
  });

  it.each([
    ['another version than the package', 'v1.2.0', CHANGELOG, 'the version is 1.1.0, and the tag is v1.2.0'],
    ['a version that CHANGELOG.md lacks', 'v1.2.0', CHANGELOG, 'there is no heading for v1.2.0'],
    ['a version without a date', 'v1.1.0', CHANGELOG.replace('2026-12-31', 'unreleased'), '[1.1.0] has no date'],
    ['a version without a change', 'v1.1.0', CHANGELOG.replace('- A thing.', ''), '[1.1.0] names no change'],
    [
      'unreleased changes',
      'v1.1.0',
      CHANGELOG.replace('## [1.1', '### Added\n\n- More.\n\n## [1.1'),
      'move the changes of [Unreleased]',
    ],
  ])('refuses a tag with %s', async (_name, tag, changelog, problem) => {
    await layOut(changelog + LINKS, OF_THE_OWNER);
    expect(await check(folder, tag)).toMatchObject({ code: 1, stderr: expect.stringContaining(problem) as string });
  });

  it('refuses a repository without the folder of the package', async () => {
    const { type, url } = OF_THE_OWNER.repository;
    await layOut(CHANGELOG + LINKS, { ...OF_THE_OWNER, repository: { type, url } });
    expect(await check(folder, 'v1.1.0')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"repository.directory" is not libs/kinde-api-key') as string,
    });
  });

  it('refuses a repository other than the one that publishes', async () => {
    await layOut(CHANGELOG + LINKS, OF_THE_OWNER);
    Object.assign(process.env, { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'other/keys' });
    expect(await check(folder, 'v1.1.0')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('"repository" is not https://github.com/other/keys') as string,
    });
  });

  it('runs in the workflow before everything else', async () => {
    const workflow = await readFile(join(REPOSITORY, '.github/workflows/release.yml'), 'utf8');
    const [ready, ci, publish] = workflow.split(/^ {2}(?=ready:|ci:|publish:)/m).slice(1);
    expect(ready).toContain('run: node .ci/release.mjs "$GITHUB_REF_NAME"');
    expect(ci).toContain('needs: ready');
    expect(publish).toContain('needs: ci');
  });
});

describe('a page of the package', () => {
  /** @returns what the build makes of a text, with or without an address of the repository */
  async function made(text: string, address?: string): Promise<string> {
    const source = `
      import { pageForPackage } from './make-pages.mjs';
      process.stdout.write(pageForPackage(...${JSON.stringify(['README.md', text].concat(address ?? []))}));
    `;
    const cwd = join(REPOSITORY, 'libs/kinde-api-key');
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', source], cwd);
    return stdout + stderr;
  }

  it.each([
    ['[a](libs/kinde-api-key/docs/routes.md#streams)', '[a](docs/routes.md#streams)', '[a](docs/routes.md#streams)'],
    ['[a](SECURITY.md)', '[a](SECURITY.md)', '[a](https://github.com/acme/keys/blob/HEAD/SECURITY.md)'],
    ['[a](apps/sample/README.md)', 'a', '[a](https://github.com/acme/keys/blob/HEAD/apps/sample/README.md)'],
    ['[a](gone.md)', 'a', 'a'],
    ['[a](#b) [c](https://kinde.com)', '[a](#b) [c](https://kinde.com)', '[a](#b) [c](https://kinde.com)'],
    ['```\n[a](SECURITY.md)\n```', '```\n[a](SECURITY.md)\n```', '```\n[a](SECURITY.md)\n```'],
  ])('has links that work there, and on npmjs.com once the repository is known: %s', async (text, alone, published) => {
    expect(await made(text)).toBe(alone);
    expect(await made(text, 'https://github.com/acme/keys')).toBe(published);
  });
});
