import { parseManagementAnswer, resultOf } from './management-answer.js';

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
});
