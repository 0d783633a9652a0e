const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const SUBDOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i;

/** The origin to call, or what is wrong with the domain. */
export type ResolvedOrigin = { readonly url: string } | { readonly problem: string };

/**
 * Returns the origin of a Kinde domain.
 *
 * @param domain `acme`, `acme.kinde.com`, `https://acme.kinde.com`, or a loopback stand-in such as `http://127.0.0.1:4010`
 * @param allowInsecureHost whether any other host is accepted, with and without TLS
 */
export function resolveOrigin(domain: string, allowInsecureHost: boolean): ResolvedOrigin {
  if (SUBDOMAIN.test(domain) && domain.toLowerCase() !== 'localhost')
    return { url: `https://${domain.toLowerCase()}.kinde.com` };
  const text = domain.includes('://') ? domain : `https://${domain}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return { problem: `is not a domain: use e.g. 'acme', 'acme.kinde.com' or 'https://acme.kinde.com'` };
  if (url.username || url.password || url.search || url.hash || url.pathname !== '/')
    return { problem: `must be a domain alone, without a path, a query or credentials, e.g. 'https://acme.kinde.com'` };
  if (LOOPBACK.test(url.hostname) || allowInsecureHost) return { url: url.origin };
  if (!/^([a-z0-9-]+\.)+kinde\.com$/.test(url.hostname)) {
    return {
      problem:
        `is a custom domain (${url.hostname}); use the one that ends in .kinde.com (Kinde > Settings > Environment > Details), because ` +
        'the token endpoint and the audience stay there. For a stand-in for Kinde in a container network set kinde.allowInsecureHost',
    };
  }
  if (url.protocol !== 'https:')
    return { problem: `must use https: plain http would show your customers' keys to the network` };
  return { url: url.origin };
}
