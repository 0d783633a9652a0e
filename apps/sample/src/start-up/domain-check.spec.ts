import { checkThatDomainResolves } from './domain-check.js';

/** Too long for a label of a domain name, so it fails without a DNS query. */
const IMPOSSIBLE = 'a'.repeat(64);

describe('checkThatDomainResolves', () => {
  it.each([IMPOSSIBLE, `${IMPOSSIBLE}.kinde.com`, `https://${IMPOSSIBLE}.kinde.com`])(
    'names the host that does not resolve (%s)',
    async (domain) => {
      await expect(checkThatDomainResolves(domain)).rejects.toThrow(
        `KINDE_DOMAIN: ${IMPOSSIBLE}.kinde.com does not resolve`,
      );
    },
  );

  it.each(['http://127.0.0.1:4010', 'http://[::1]:4010', 'http://localhost:4010', 'localhost'])(
    'takes a host that resolves, its port aside (%s)',
    async (domain) => {
      await expect(checkThatDomainResolves(domain)).resolves.toBeUndefined();
    },
  );
});
