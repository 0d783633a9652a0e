import type { ResolvedOptions } from '../config/resolved-options.js';
import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';
import type { Log } from '../log.js';
import type { ApiKeyDoctor } from './api-key-doctor.js';
import type { Finding } from './finding.js';

/**
 * Compares the configuration with Kinde at the start of an app, and logs what is wrong. It takes at most `kinde.timeoutMs`. An outage of Kinde is a
 * warning, whatever the mode: keys that other instances share can still be verified.
 *
 * @throws {KindeApiKeyConfigurationError} INVALID_CONFIGURATION in the mode `'error'`, with every problem and where to mend it in Kinde
 */
export async function verifyAtBoot(
  doctor: Pick<ApiKeyDoctor, 'examineAtBoot'>,
  mode: ResolvedOptions['verifyAtBoot'],
  log: Log,
): Promise<void> {
  if (mode === false) return;
  const findings = await doctor.examineAtBoot();
  const problems = findings.filter(({ status, code }) => status === 'problem' && code !== 'REACHABILITY');
  if (mode === 'error' && problems.length > 0)
    throw new KindeApiKeyConfigurationError('Kinde is not set up for this app:', problems.map(describe));
  for (const finding of findings.filter(({ status }) => status !== 'ok')) log.warn(describe(finding));
}

function describe({ seen, means, cure }: Finding): string {
  return `${seen}${seen.endsWith('?') ? '' : '.'} ${means}. ${cure}`;
}
