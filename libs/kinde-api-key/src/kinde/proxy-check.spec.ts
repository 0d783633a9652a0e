import { createServer, type AddressInfo } from 'node:net';
import { HttpService } from '@nestjs/axios';
import { Test } from '@nestjs/testing';
import axios, { type AxiosStatic } from 'axios';
import axios1_15 from 'axios1_15';
import axios1_3 from 'axios1_3';
import { resolveOptions } from '../config/resolved-options.js';
import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';
import { KindeApiKeyModule } from '../kinde-api-key.module.js';
import { AxiosKindeHttp } from './axios-http.js';
import { checkProxy } from './proxy-check.js';

/** The lowest version of the peer range, the last minor but one that does not tunnel, and the installed one. */
const VERSIONS = [axios1_3, axios1_15, axios] as readonly Pick<AxiosStatic, 'VERSION' | 'create'>[];
const SECRETS = /canary/;
const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** The first two bytes of a TLS handshake. */
const TLS_HANDSHAKE = '\u0016\u0003';
const protocolOf = (received: string): string => {
  if (received.startsWith(TLS_HANDSHAKE)) return 'TLS';
  return received.startsWith('CONNECT 127.0.0.1:1 ') ? 'CONNECT' : received;
};

/** A proxy that takes every CONNECT, and keeps what it received. */
async function startProxy() {
  const received: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      const isFirst = received.push(bytes.toString('latin1')) === 1;
      if (isFirst && bytes.toString().startsWith('CONNECT ')) socket.write('HTTP/1.1 200 OK\r\n\r\n');
      else socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return { received, port: (server.address() as AddressInfo).port };
}

function send(version: Pick<AxiosStatic, 'create'>, proxy?: { protocol: string; host: string; port: number }) {
  const http = new AxiosKindeHttp(new HttpService(version.create() as never), proxy ? { proxy } : {});
  cleanups.push(() => http.close());
  const request = {
    method: 'POST',
    url: 'https://127.0.0.1:1/oauth2/token',
    headers: { authorization: 'Bearer canary' },
    body: 'client_secret=canary',
  } as const;
  return http.send(request, new AbortController().signal).catch((error: Error) => error.message);
}

const named = VERSIONS.map((version) => [version.VERSION, version] as const);

describe('A call to an https domain', () => {
  it.each(named)('reaches an http proxy as CONNECT and TLS, or not at all (axios %s)', async (number, version) => {
    const proxy = await startProxy();
    const message = await send(version, { protocol: 'http', host: '127.0.0.1', port: proxy.port });
    if (version === axios) {
      expect(proxy.received.map(protocolOf)).toEqual(['CONNECT', 'TLS']);
    } else {
      expect(message).toContain(`this version of axios would send it to the proxy in clear`);
      expect(proxy.received).toEqual([]);
    }
    expect(proxy.received.join()).not.toMatch(SECRETS);
    expect(number).toBe(version.VERSION);
  });

  it.each(named)('reaches an https proxy through TLS, or not at all (axios %s)', async (_number, version) => {
    const proxy = await startProxy();
    await send(version, { protocol: 'https', host: '127.0.0.1', port: proxy.port });
    expect(proxy.received.map(protocolOf)).toEqual(version === axios ? ['TLS'] : []);
  });

  it.each(named)("does not use a proxy of the environment's (axios %s)", async (_number, version) => {
    const proxy = await startProxy();
    const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];
    const before = { ...process.env };
    for (const name of names) process.env[name] = `http://127.0.0.1:${proxy.port}`;
    try {
      expect(await send(version)).toContain('ECONNREFUSED');
    } finally {
      for (const name of names) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
    expect(proxy.received).toEqual([]);
  });
});

describe('checkProxy', () => {
  const optionsWith = (domain: string, proxy?: { host: string; port: number }) => {
    const http = proxy ? { proxy } : {};
    return resolveOptions({ domain, clientId: 'id', clientSecret: 'secret', kinde: { http } }, {});
  };
  const proxy = { host: 'proxy.internal', port: 3_128 };

  it.each(['1.3.1', '1.8.4', '1.15.0', '1.16.9', '0.30.0', 'unknown'])(
    'stops the boot for a proxy with axios %s, and says what to do',
    (version) => {
      const check = () => checkProxy(optionsWith('acme', proxy), version);
      expect(check).toThrow(KindeApiKeyConfigurationError);
      expect(check).toThrow(/'kinde\.http\.proxy' needs axios 1\.17 .*Update axios, or set 'kinde\.http\.httpsAgent'/);
    },
  );

  it.each(['1.17.0', '1.21.1', '2.0.0'])('accepts a proxy with axios %s', (version) => {
    expect(() => checkProxy(optionsWith('acme', proxy), version)).not.toThrow();
  });

  it('accepts every version without a proxy, and with a stand-in on loopback', () => {
    expect(() => checkProxy(optionsWith('acme'), '1.3.1')).not.toThrow();
    expect(() => checkProxy(optionsWith('http://127.0.0.1:4000', proxy), '1.3.1')).not.toThrow();
  });

  it('checks the installed version when the app boots', async () => {
    const options = { domain: 'acme', clientId: 'id', clientSecret: 'secret', kinde: { http: { proxy } } };
    const boot = () => Test.createTestingModule({ imports: [KindeApiKeyModule.forRoot(options)] }).compile();
    await expect(boot()).resolves.toBeDefined();
    const replaced = jest.replaceProperty(axios, 'VERSION', '1.15.0');
    cleanups.push(() => replaced.restore());
    await expect(boot()).rejects.toThrow("'kinde.http.proxy' needs axios 1.17");
  });
});
