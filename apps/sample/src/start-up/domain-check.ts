import { lookup } from 'node:dns/promises';
import { StartUpError } from './settings.js';

/**
 * Checks that the domain resolves before the API starts. A typo would otherwise show as 503 on the first request.
 *
 * @param domain `acme`, `acme.kinde.com` or `https://acme.kinde.com`, already checked by the library
 * @throws {StartUpError} if the domain does not resolve
 */
export async function checkThatDomainResolves(domain: string): Promise<void> {
  const host = hostOf(domain);
  try {
    await lookup(host);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartUpError(`KINDE_DOMAIN: ${host} does not resolve (${code}). Check its spelling, and the network`);
  }
}

function hostOf(domain: string): string {
  if (/^[a-z0-9-]+$/i.test(domain) && domain !== 'localhost') return `${domain}.kinde.com`;
  const { hostname } = new URL(domain.includes('://') ? domain : `https://${domain}`);
  return hostname.replace(/^\[(.*)\]$/, '$1'); // [::1]
}
