import fc from 'fast-check';
import { resolveOrigin } from './kinde-origin.js';

const ACME = { url: 'https://acme.kinde.com' };

describe('resolveOrigin', () => {
  it.each([
    ['acme', ACME],
    ['ACME', ACME],
    ['acme.kinde.com', ACME],
    ['Acme.Kinde.com', ACME],
    ['https://acme.kinde.com', ACME],
    ['https://acme.kinde.com/', ACME],
    ['https://acme.kinde.com:443', ACME],
    ['acme-2', { url: 'https://acme-2.kinde.com' }],
    ['acme.au.kinde.com', { url: 'https://acme.au.kinde.com' }],
  ])('accepts the Kinde domain %s', (domain, expected) => {
    expect(resolveOrigin(domain, false)).toEqual(expected);
  });
});

describe('a loopback domain', () => {
  it.each([
    ['http://127.0.0.1:4010', 'http://127.0.0.1:4010'],
    ['http://127.8.9.10:4010', 'http://127.8.9.10:4010'],
    ['http://localhost:4010', 'http://localhost:4010'],
    ['http://LOCALHOST:4010/', 'http://localhost:4010'],
    ['http://[::1]:4010', 'http://[::1]:4010'],
    ['https://localhost:4010', 'https://localhost:4010'],
    ['localhost', 'https://localhost'],
    ['127.0.0.1:4010', 'https://127.0.0.1:4010'],
  ])('is accepted with and without TLS: %s', (domain, url) => {
    expect(resolveOrigin(domain, false)).toEqual({ url });
  });
});

describe('a domain', () => {
  it.each([
    ['auth.acme.com', 'auth.acme.com'],
    ['https://auth.acme.com', 'auth.acme.com'],
    ['http://auth.acme.com', 'auth.acme.com'],
    ['acme.kinde.com.evil.com', 'acme.kinde.com.evil.com'],
    ['acmekinde.com', 'acmekinde.com'],
    ['kinde.com', 'kinde.com'],
    ['http://127.0.0.1.evil.com', '127.0.0.1.evil.com'],
    ['http://localhost.evil.com', 'localhost.evil.com'],
    ['http://10.0.0.1:4010', '10.0.0.1'],
    ['http://[::2]:4010', '[::2]'],
    ['-acme', '-acme'],
    ['acme-', 'acme-'],
    ['http://0.0.0.0:4010', '0.0.0.0'],
  ])('on a custom host is rejected with the reason and the cure: %s', (domain, host) => {
    expect(resolveOrigin(domain, false)).toEqual({
      problem:
        `is a custom domain (${host}); use the one that ends in .kinde.com (Kinde > Settings > Environment > Details), because ` +
        'the token endpoint and the audience stay there. For a stand-in for Kinde in a container network set kinde.allowInsecureHost',
    });
  });

  it('of Kinde is rejected without TLS', () => {
    expect(resolveOrigin('http://acme.kinde.com', false)).toEqual({
      problem: "must use https: plain http would show your customers' keys to the network",
    });
  });

  it.each([
    'https://acme.kinde.com/api',
    'acme.kinde.com/api',
    'https://user:password@acme.kinde.com',
    'https://user@acme.kinde.com',
    'https://acme.kinde.com?x=1',
    'https://acme.kinde.com#top',
    'https://evil.com/.kinde.com',
  ])('with a path, a query or credentials is rejected: %s', (domain) => {
    for (const allowInsecureHost of [true, false]) {
      expect(resolveOrigin(domain, allowInsecureHost)).toEqual({
        problem: "must be a domain alone, without a path, a query or credentials, e.g. 'https://acme.kinde.com'",
      });
    }
  });

  it.each(['ftp://acme.kinde.com', 'file:///etc/passwd', 'https://', 'a b', '://', 'https://[::1'])(
    'that cannot be parsed is rejected: %s',
    (domain) => {
      for (const allowInsecureHost of [true, false]) {
        expect(resolveOrigin(domain, allowInsecureHost)).toHaveProperty('problem');
      }
    },
  );
});

describe('allowInsecureHost', () => {
  it.each([
    ['http://kinde-emulator:4010', 'http://kinde-emulator:4010'],
    ['https://auth.acme.com', 'https://auth.acme.com'],
    ['http://acme.kinde.com', 'http://acme.kinde.com'],
  ])('accepts any host, with and without TLS: %s', (domain, url) => {
    expect(resolveOrigin(domain, true)).toEqual({ url });
  });

  it('does not change the meaning of a bare name', () => {
    expect(resolveOrigin('acme', true)).toEqual(ACME);
  });
});

describe('any text', () => {
  it('leads to *.kinde.com over TLS, to loopback, or to a problem', () => {
    const part = fc.constantFrom('acme', '.', 'kinde.com', 'evil.com', 'http://', 'https://', '127.0.0.1', 'localhost', '@', '/', ':80', '#', '?', '\\', '%2e', ' '); // prettier-ignore
    const domain = fc.oneof(
      fc.array(part, { maxLength: 6 }).map((parts) => parts.join('')),
      fc.string(),
      fc.webUrl({ validSchemes: ['http', 'https', 'ftp'] }),
    );
    fc.assert(
      fc.property(domain, (anything) => {
        const resolved = resolveOrigin(anything, false);
        const origin = 'url' in resolved ? new URL(resolved.url) : undefined;
        const isKinde = origin?.protocol === 'https:' && origin.hostname.endsWith('.kinde.com');
        const isLoopback = /^(localhost|127\.[\d.]+|\[::1\])$/.test(origin?.hostname ?? '');
        expect(origin === undefined || isKinde || isLoopback).toBe(true);
        expect(origin?.origin).toBe('url' in resolved ? resolved.url : undefined);
      }),
      { numRuns: 5_000 },
    );
  });
});
