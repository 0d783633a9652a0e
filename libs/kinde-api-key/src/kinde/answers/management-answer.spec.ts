import fc from 'fast-check';
import { readApiKeyDetails, readApiKeyPage, readNewApiKey, readRevocation } from './api-keys-answer.js';
import { readApis, readApiScopes } from './apis-answer.js';
import { parseManagementAnswer, resultOf, type ReadResult } from './management-answer.js';

const ERROR = { errors: [{ code: 'X', message: 'x' }] };
const parse = (status: number, body: unknown, type = 'application/json') =>
  parseManagementAnswer({ status, headers: { 'content-type': type }, body: JSON.stringify(body) }, resultOf);

describe('parseManagementAnswer', () => {
  it.each([200, 201])('reads the body of a %d', (status) => {
    expect(parse(status, { code: 'OK' })).toEqual({ kind: 'result', result: { code: 'OK' } });
  });

  it.each([
    [400, ERROR, { kind: 'invalid_input' }],
    [404, { errors: { code: 'API_KEY_NOT_FOUND', message: 'x' } }, { kind: 'not_found' }],
    [401, ERROR, { kind: 'rejected', isScopeMissing: false }],
    [403, ERROR, { kind: 'rejected', isScopeMissing: false }],
    [403, { errors: [{ code: 'SCOPE_MISSING', message: 'x' }] }, { kind: 'rejected', isScopeMissing: true }],
    [403, { errors: [{ code: 'X', message: 'Scope missing' }] }, { kind: 'rejected', isScopeMissing: true }],
    [401, { errors: [{ code: 'X', message: 'Scope missing' }] }, { kind: 'rejected', isScopeMissing: false }],
    [429, ERROR, { kind: 'throttled' }],
  ])('takes %d %j as %j', (status, body, answer) => {
    expect(parse(status, body)).toEqual(answer);
  });

  it.each([
    [404, { errors: { code: 'ROUTE_NOT_FOUND', message: 'x' } }, undefined],
    [404, {}, undefined],
    [404, ERROR, 'text/html'],
    [400, { error: 'bad' }, undefined],
    [403, '<html>scope missing</html>', 'text/html'],
    [401, null, undefined],
    [200, ERROR, 'text/html'],
    [200, [], undefined],
    [204, {}, undefined],
    [302, ERROR, undefined],
    [409, ERROR, undefined],
    [422, ERROR, undefined],
    [500, ERROR, undefined],
  ])('learns nothing from %d %j %s', (status, body, type) => {
    expect(parse(status, body, type)).toMatchObject({ kind: 'outage' });
  });

  const readers: readonly ReadResult<unknown>[] = [
    readApiKeyPage,
    readApiKeyDetails('api_key_1'),
    readNewApiKey(),
    readRevocation,
    readApis,
    readApiScopes,
  ];
  const field = fc.constantFrom(
    'api_keys',
    'api_key',
    'has_more',
    'id',
    'key',
    'status',
    'scopes',
    'apis',
    'code',
    '__proto__',
  );
  const { json } = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, false, 0, '', 'active', 'api_key_1'),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(field, tie('json'), { maxKeys: 5 }),
    ),
  }));

  it('never throws, whatever the answer', () => {
    const status = fc.constantFrom(200, 201, 204, 302, 400, 401, 403, 404, 429, 500);
    const body = fc.oneof(
      json.map((value) => JSON.stringify(value)),
      fc.string(),
    );
    const type = fc.constantFrom('application/json', 'text/html', '');
    fc.assert(
      fc.property(status, body, type, fc.constantFrom(...readers), (code, text, contentType, read) => {
        const answer = parseManagementAnswer(
          { status: code, headers: { 'content-type': contentType }, body: text },
          read,
        );
        expect(['result', 'not_found', 'invalid_input', 'rejected', 'throttled', 'outage']).toContain(answer.kind);
        if (answer.kind === 'result') expect([200, 201]).toContain(code);
      }),
      { numRuns: 500 },
    );
  });
});
