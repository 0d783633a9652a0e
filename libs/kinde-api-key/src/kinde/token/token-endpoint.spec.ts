import { inspect } from 'node:util';
import { TestClock } from '../../testing/index.js';
import type { KindeHttp, KindeRequest } from '../http.js';
import { Deadlines } from '../limits/deadline.js';
import { ManagementApi } from '../management-api.js';
import { TokenEndpoint } from './token-endpoint.js';
import { UnusableMint } from './unusable-mint.js';

function newEndpoint(body = '{"access_token":"opaque","expires_in":60}') {
  const sent: KindeRequest[] = [];
  const http: KindeHttp = {
    send: (request) => {
      sent.push(request);
      const headers = { 'content-type': 'application/json' };
      return Promise.resolve({ status: 200, headers, body });
    },
    close: () => {},
  };
  const clock = new TestClock();
  const options = {
    origin: 'https://acme.kinde.com',
    clientId: 'id & co',
    audience: 'https://acme.kinde.com/api',
    timeoutMs: 100,
    retries: 0,
  };
  const api = new ManagementApi(http, options, clock, () => {});
  const deadlines = new Deadlines(options.timeoutMs);
  return { sent, deadlines, endpoint: new TokenEndpoint(api, deadlines, clock, { ...options, clientSecret: 'a+b=ü' }) };
}

describe('TokenEndpoint', () => {
  it('sends the form of RFC 6749, with its values escaped', async () => {
    const { endpoint, sent } = newEndpoint();
    await endpoint.mint();
    expect(sent).toEqual([
      {
        method: 'POST',
        url: 'https://acme.kinde.com/oauth2/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'grant_type=client_credentials&client_id=id+%26+co&client_secret=a%2Bb%3D%C3%BC&audience=https%3A%2F%2Facme.kinde.com%2Fapi',
      },
    ]);
  });

  it('does not show the client secret to util.inspect', async () => {
    const { endpoint } = newEndpoint();
    await endpoint.mint();
    const shown = inspect(endpoint, { depth: Infinity, showHidden: true, getters: true });
    expect(shown).toContain('TokenEndpoint');
    expect(['a+b', 'a%2Bb', 'client_secret'].filter((secret) => shown.includes(secret))).toEqual([]);
  });

  it('tells a token that cannot be used from an outage', async () => {
    const { endpoint } = newEndpoint('{"access_token":"opaque"}');
    await expect(endpoint.mint()).rejects.toBeInstanceOf(UnusableMint);
  });

  it('rejects a mint after its deadlines were closed, without a call', async () => {
    const { endpoint, deadlines, sent } = newEndpoint();
    deadlines.close();
    await expect(endpoint.mint()).rejects.toMatchObject({ kind: 'closed' });
    expect(sent).toEqual([]);
  });
});
