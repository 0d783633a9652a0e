import type { ResolvedOptions } from '../config/resolved-options.js';
import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';

/** First version of axios that tunnels https through an http proxy. */
const TUNNELS_FROM = [1, 17] as const;

/**
 * Checks that axios does not show the calls to an http proxy. `HttpsProxyAgent` as `kinde.http.httpsAgent` tunnels with every version.
 *
 * @throws {KindeApiKeyConfigurationError} INVALID_CONFIGURATION for a proxy with an https domain and an axios before 1.17
 */
export function checkProxy(
  { kinde, http }: { readonly kinde: Pick<ResolvedOptions['kinde'], 'origin'>; readonly http: ResolvedOptions['http'] },
  axiosVersion: string,
): void {
  const [major = 0, minor = 0] = axiosVersion.split('.').map(Number);
  const tunnels = major > TUNNELS_FROM[0] || (major === TUNNELS_FROM[0] && minor >= TUNNELS_FROM[1]);
  if (!http.proxy || !kinde.origin.startsWith('https:') || tunnels) return;
  throw new KindeApiKeyConfigurationError('The proxy to Kinde is not safe', [
    `'kinde.http.proxy' needs axios ${TUNNELS_FROM.join('.')} or later. The installed version ${axiosVersion} would send keys and the ` +
      "client secret to the proxy in clear. Update axios, or set 'kinde.http.httpsAgent' to an agent that tunnels",
  ]);
}
