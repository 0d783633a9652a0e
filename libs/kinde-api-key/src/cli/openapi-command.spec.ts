import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliIo } from './cli-io.js';
import { runCli } from './program.js';

const GOOD = {
  openapi: '3.1.0',
  servers: [{ url: 'https://api.example.com' }],
  components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
  paths: { '/users': { get: { operationId: 'users', security: [{ apiKey: ['read:users'] }] } } },
};

async function run(args: readonly string[], input = ''): Promise<{ exitCode: number; out: string; err: string }> {
  const written = { out: '', err: '' };
  const io: CliIo = {
    out: (text) => (written.out += text),
    err: (text) => (written.err += text),
    env: {},
    hasColors: false,
    readInput: async (wanted) => (wanted?.what === 'document' ? input : ''),
    showProgress: () => () => undefined,
    untilAskedToStop: async () => undefined,
  };
  return { exitCode: await runCli(['openapi', ...args], io), ...written };
}

describe('the command openapi', () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'openapi-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('ends with 0 for a document that lacks nothing, from a file and from standard input', async () => {
    const file = join(folder, 'document.json');
    writeFileSync(file, JSON.stringify(GOOD));
    const expected = { exitCode: 0, out: '1 operation checked, 0 public, nothing is missing\n', err: '' };
    expect(await run([file, '--check-mcp'])).toEqual(expected);
    expect(await run(['-', '--check-mcp'], JSON.stringify(GOOD))).toEqual(expected);
  });

  it('ends with 1 and says what is missing, where, and what to do', async () => {
    const document = JSON.stringify({ ...GOOD, servers: [] });
    const { exitCode, out } = await run(['-', '--check-mcp'], document);
    expect(exitCode).toBe(1);
    expect(out).toBe(
      'servers[0]: the document has no server\n' +
        "    -> name the public address of the API, e.g. new DocumentBuilder().addServer('https://api.example.com')\n" +
        '1 operation checked, 0 public, missing: 1\n',
    );
    const json = await run(['-', '--check-mcp', '--json'], document);
    expect(json.exitCode).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ operations: 1, public: 0, findings: [{ where: 'servers[0]' }] });
  });

  it.each([
    [['missing.json', '--check-mcp'], '', 'missing.json cannot be read'],
    [['-', '--check-mcp'], '{', 'standard input is not JSON'],
    [['-', '--check-mcp'], '{}', 'this is not a document of OpenAPI 3'],
    [['-'], '{}', "required option '--check-mcp' not specified"],
  ])('ends with 1 and one line for %j with the input "%s"', async (args, input, message) => {
    const { exitCode, out, err } = await run(args, input);
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' });
    expect(err).toContain(message);
    expect(err.trim().split('\n')).toHaveLength(1);
  });
});
