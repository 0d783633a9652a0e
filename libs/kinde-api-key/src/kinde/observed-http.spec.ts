import { KindeTransportError, type KindeHttp, type KindeRequest } from './http.js';
import { observed, type KindeCall } from './observed-http.js';
import { VerificationFailure } from './verification-failure.js';

const ORIGIN = 'https://acme.kinde.com';
const VERIFY: KindeRequest = {
  method: 'POST',
  url: `${ORIGIN}/api/v1/api_keys/verify`,
  headers: {},
  body: 'k_live_secret',
};

/** An HTTP that answers with a status or fails, and the calls that a listener heard. */
function heardWith(answer: number | Error) {
  const http: KindeHttp = {
    send: async () => {
      if (answer instanceof Error) throw answer;
      return { status: answer, headers: {}, body: '{}' };
    },
    close: jest.fn(),
  };
  const watched = observed(http);
  const heard: KindeCall[] = [];
  return { http, watched, heard, stop: watched.calls.add((call) => heard.push(call)) };
}

const { signal } = new AbortController();

describe('observed()', () => {
  it.each([
    ['POST', '/api/v1/api_keys/verify', {}, 'verify'],
    ['POST', '/oauth2/token', {}, 'mint'],
    ['POST', '/oauth2/token', { authorization: 'Bearer k_live_secret' }, 'exchange'],
    ['GET', '/.well-known/jwks', {}, 'jwks'],
    ['GET', '/api/v1/api_keys/api_key_secret', {}, 'management'],
    ['GET', '/api/v1/api_keys?page_size=1', {}, 'management'],
  ] as const)('calls %s %s with %j a call of the kind %s', async (method, path, headers, operation) => {
    const { watched, heard } = heardWith(200);
    await watched.http.send({ method, url: ORIGIN + path, headers }, signal);
    expect(heard).toMatchObject([{ operation }]);
    expect(JSON.stringify(heard)).not.toContain('secret');
  });

  it.each([
    [200, 'ok'],
    [302, 'failed'],
    [400, 'refused'],
    [401, 'refused'],
    [429, 'throttled'],
    [500, 'failed'],
    [503, 'failed'],
  ] as const)('calls an answer with %i %s, and returns it', async (status, outcome) => {
    const { watched, heard } = heardWith(status);
    await expect(watched.http.send(VERIFY, signal)).resolves.toMatchObject({ status });
    expect(heard).toEqual([
      {
        operation: 'verify',
        outcome,
        statusCode: status,
        startedAtMs: expect.any(Number) as number,
        durationMs: expect.any(Number) as number,
      },
    ]);
  });

  it('calls a call without an answer failed, and throws what it threw', async () => {
    const error = new KindeTransportError('network', 'ECONNRESET');
    const { watched, heard } = heardWith(error);
    await expect(watched.http.send(VERIFY, signal)).rejects.toBe(error);
    expect(heard).toMatchObject([{ outcome: 'failed', statusCode: null }]);
  });

  it.each([
    ['deadline', 'timeout'],
    ['closed', 'aborted'],
  ] as const)('calls a call that is aborted with %s %s', async (kind, outcome) => {
    const { watched, heard } = heardWith(new KindeTransportError('aborted'));
    const aborted = AbortSignal.abort(new VerificationFailure(kind, 'over'));
    await expect(watched.http.send(VERIFY, aborted)).rejects.toThrow('aborted');
    expect(heard).toMatchObject([{ outcome }]);
  });

  it('is not changed by a listener that throws, and tells the others', async () => {
    const { watched, heard } = heardWith(200);
    watched.calls.add(() => {
      throw new Error('listener');
    });
    const last: KindeCall[] = [];
    watched.calls.add((call) => last.push(call));
    await expect(watched.http.send(VERIFY, signal)).resolves.toMatchObject({ status: 200 });
    expect([heard.length, last.length]).toEqual([1, 1]);
  });

  it('hands the promise of the other HTTP on while nothing listens', async () => {
    const { http, watched, heard, stop } = heardWith(200);
    stop();
    const promise = Promise.resolve({ status: 200, headers: {}, body: '' });
    jest.spyOn(http, 'send').mockReturnValue(promise);
    expect(watched.http.send(VERIFY, signal)).toBe(promise);
    await promise;
    expect(heard).toEqual([]);
  });

  it('closes the other HTTP', () => {
    const { http, watched } = heardWith(200);
    watched.http.close();
    expect(http.close).toHaveBeenCalledTimes(1);
  });
});
