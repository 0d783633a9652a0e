import type { TestingModule } from '@nestjs/testing';
import { KindeApiKeyTestingModule } from 'nestjs-kinde-api-key/testing';
import { send } from './support/http.js';
import { runAsyncExample, runExample } from './support/example-runner.js';
import { DOCS, examplesOf, read, rowsOf } from './support/markdown.js';

const VARIABLES = ['KINDE_DOMAIN', 'KINDE_MANAGEMENT_CLIENT_ID', 'KINDE_MANAGEMENT_CLIENT_SECRET'];
const environment = process.env;

/** The tests of the page. The suite of a shared store needs a Redis, and runs in `test/redis`. */
const EXAMPLES = examplesOf(`${DOCS}/testing.md`).filter(({ code }) => code.includes('\ndescribe('));

beforeEach(() => {
  process.env = { ...environment };
  for (const variable of VARIABLES) delete process.env[variable];
});
afterAll(() => {
  process.env = environment;
});

for (const example of EXAMPLES)
  describe(`the example in line ${example.line} of docs/testing.md, as a test:`, () => void runExample(example));

describe('docs/testing.md', () => {
  it('lists the methods of KindeApiKeyTestingModule', () => {
    const [, ...methods] = Object.getOwnPropertyNames(KindeApiKeyTestingModule.prototype);
    const listed = read(`${DOCS}/testing.md`).match(/^\| method \|[^]*?\n\n/m)?.[0] ?? '';
    expect(rowsOf(listed).map(([call = '']) => /\w+/.exec(call)?.[0])).toEqual(methods);
  });
});

describe('the examples of the test kit', () => {
  it('are all found', () => {
    expect(EXAMPLES).toHaveLength(5);
  });

  it('of README.md: the whole app of the first example accepts the key, without an environment', async () => {
    const [first, ...others] = examplesOf('README.md');
    const example = others.find(({ code }) => code.includes('nestjs-kinde-api-key/testing'));
    if (!first || !example) throw new Error('README.md has no such example');
    const { testing, key } = await runAsyncExample(example, ['testing', 'key'], {
      './app.module.js': runExample(first),
    });
    const app = (testing as TestingModule).createNestApplication();
    await app.listen(0, '127.0.0.1');
    const ask = (orgCode: string, headers = {}) =>
      app.getUrl().then((url) => send(`${url}/organizations/${orgCode}/users`, { headers }));
    const headers = { authorization: `Bearer ${String(key)}` };
    expect(await ask('org_acme', headers)).toMatchObject({ status: 200, body: { organization: 'org_acme' } });
    expect(await ask('org_globex', headers)).toMatchObject({ status: 403, body: { code: 'ORG_MISMATCH' } });
    expect(await ask('org_acme')).toMatchObject({ status: 401 });
    await app.close();
  });
});
