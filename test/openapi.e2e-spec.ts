import { Validator } from '@seriousme/openapi-schema-validator';
import { VersioningType, type INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { ApiKeyProblemDetailsFilter, type KindeApiKeyOptions } from 'nestjs-kinde-api-key';
import { documentApiKeys, type DocumentApiKeysOptions } from 'nestjs-kinde-api-key/openapi';
import { kindeAccessTokens } from 'nestjs-kinde-api-key/tokens';
import {
  MOST_FAILURES,
  MOST_REQUESTS,
  operationsOf,
  provoke,
  schemaProblems,
  type DocumentedOperation,
} from './support/documented-answers.js';
import { DOCUMENTED_CONTROLLERS, HeaderUser } from './support/documented-app.js';
import type { Answer } from './support/http.js';
import { describeAdapters, startScenario, type Adapter, type Scenario } from './support/scenario.js';

interface Setup {
  readonly options: KindeApiKeyOptions;
  readonly document: DocumentApiKeysOptions;
  readonly prepare: (app: INestApplication) => void;
}

const SETUPS: Readonly<Record<string, Setup>> = {
  'with the defaults': { options: {}, document: {}, prepare: () => undefined },
  'with every option': {
    options: {
      credentials: [{ header: 'authorization', scheme: 'Bearer' }, { header: 'x-api-key' }],
      principals: [HeaderUser, kindeAccessTokens({ audience: 'https://api.example.com' })],
      failedAttempts: { limit: MOST_FAILURES, windowMs: 60_000 },
      rateLimit: { limit: MOST_REQUESTS, windowMs: 60_000, headers: 'always' },
      hideExistence: true,
    },
    document: { problemDetails: true },
    prepare: (app) => void app.useGlobalFilters(new ApiKeyProblemDetailsFilter()),
  },
};

/** Headers that a document names. */
const HEADERS = ['WWW-Authenticate', 'Retry-After', 'RateLimit', 'RateLimit-Policy'];

async function start(adapter: Adapter, { options, document, prepare }: Setup) {
  let made: object = {};
  const scenario = await startScenario({
    adapter,
    controllers: DOCUMENTED_CONTROLLERS,
    providers: [HeaderUser],
    options,
    prepare: (app) => {
      app.setGlobalPrefix('api', { exclude: ['plain'] });
      app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version', defaultVersion: '1' });
      prepare(app);
      const config = new DocumentBuilder().setOpenAPIVersion('3.1.0').build();
      made = documentApiKeys(app, SwaggerModule.createDocument(app, config), document);
    },
  });
  return { scenario, document: made };
}

/** @returns the code of a refusal; what is hidden has none */
const codeOf = ({ status, body }: Answer): string =>
  status === 404 ? 'NOT_FOUND' : String((body as { code?: unknown }).code);

const pathOf = ({ path }: DocumentedOperation): string => path.replace('{orgCode}', 'org_a').replace('{id}', 'a');

describe.each(Object.entries(SETUPS))('the answers in a document %s', (_name, setup) => {
  describeAdapters('are those of the app', (adapter) => {
    let scenario: Scenario;
    let document: object;
    beforeAll(async () => ({ scenario, document } = await start(adapter, setup)));
    afterAll(() => scenario.close());

    async function refusalsFor(operation: DocumentedOperation): Promise<readonly Answer[]> {
      const answers: Answer[] = [];
      for (const version of operation.path.endsWith('/versions') ? ['1', '2'] : ['1']) {
        const method = operation.method.toUpperCase();
        answers.push(
          ...(await provoke(scenario, (headers = {}) =>
            scenario.send(pathOf(operation), { method, headers: { ...headers, 'x-version': version } }),
          )),
        );
      }
      return answers.filter(({ status }) => status >= 400);
    }

    it('for every operation, in both directions', async () => {
      const operations = operationsOf(document);
      expect(operations.length).toBeGreaterThan(15);
      for (const operation of operations) {
        const title = `${operation.method} ${operation.path}`;
        const refusals = await refusalsFor(operation);
        const hasBody = operation.method !== 'head';
        const documented = Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
          Object.values(content).flatMap(({ examples = {} }) =>
            Object.keys(examples).map((code) => (hasBody ? `${status} ${code}` : status)),
          ),
        );
        const seen = refusals.map((answer) => (hasBody ? `${answer.status} ${codeOf(answer)}` : `${answer.status}`));
        expect([title, ...new Set(seen)].toSorted()).toEqual([title, ...new Set(documented)].toSorted());
        if (hasBody) for (const answer of refusals) checkAnswer(document, operation, answer);
        checkHeaders(operation, refusals);
      }
    }, 60_000);
  });
});

function checkAnswer(document: object, operation: DocumentedOperation, answer: Answer): void {
  const { content = {} } = operation.responses[answer.status] ?? { description: '' };
  const [type, media] = Object.entries(content)[0] ?? [];
  expect(String(answer.headers['content-type'])).toContain(String(type));
  expect(schemaProblems(document, media?.schema ?? {}, answer.body)).toEqual([]);
  const example = media?.examples?.[codeOf(answer)]?.value;
  expect(Object.keys(example ?? {}).toSorted()).toEqual(Object.keys(answer.body as object).toSorted());
}

function checkHeaders({ method, path, responses }: DocumentedOperation, refusals: readonly Answer[]): void {
  for (const status of new Set(refusals.map((answer) => answer.status))) {
    const sent = refusals.filter((answer) => answer.status === status);
    const seen = HEADERS.filter((name) => sent.some(({ headers }) => headers[name.toLowerCase()] !== undefined));
    const documented = Object.keys(responses[status]?.headers ?? {});
    expect([method, path, status, ...seen]).toEqual([
      method,
      path,
      status,
      ...HEADERS.filter((name) => documented.includes(name)),
    ]);
  }
}

describe('a document of OpenAPI', () => {
  it.each(['3.0.3', '3.1.0'])('%s is valid', async (version) => {
    const scenario = await startScenario({ adapter: 'express', controllers: DOCUMENTED_CONTROLLERS });
    const config = new DocumentBuilder().setOpenAPIVersion(version).build();
    const document = documentApiKeys(scenario.app, SwaggerModule.createDocument(scenario.app, config));
    delete (document.paths['/rules/all'] as { search?: unknown }).search; // of @nestjs/swagger, and not of these versions
    expect(await new Validator().validate(document as unknown as Record<string, unknown>)).toEqual({ valid: true });
    await scenario.close();
  });
});
