import type { ResolvedOptions } from '../config/resolved-options.js';
import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';
import type { Log } from '../log.js';
import type { ApiKeyDoctor } from './api-key-doctor.js';
import type { Finding } from './finding.js';

type Mode = ResolvedOptions['verifyAtBoot'];

/** @internal Set on `globalThis` by the command line, whose apps start without a call to Kinde. Found by other copies of the library, too. */
export const SKIP_BOOT_VERIFICATION = Symbol.for('nestjs-kinde-api-key:skip-boot-verification');

/** Maximum number of lines in the log. An app without any registered scope would fill it. */
const MAX_LINES = 5;

/** What decides whether an app asks Kinde when it starts. */
export interface BootCircumstances {
  /** Whether the app set the option. Then it counts, whatever the app is. */
  readonly isGiven: boolean;
  /** A job or a command line has none. It would pay for an M2M token that no request needs. */
  readonly hasServer: boolean;
  /** Whether a test replaced what asks Kinde. */
  readonly isReplaced: boolean;
}

/** Returns the mode of an app's start. */
export function bootModeOf(mode: Mode, { isGiven, hasServer, isReplaced }: BootCircumstances): Mode {
  if (SKIP_BOOT_VERIFICATION in globalThis) return false;
  return isGiven || (hasServer && !isReplaced) ? mode : false;
}

/**
 * Compares the configuration with Kinde at the start of an app, and logs what is wrong. It takes at most `kinde.timeoutMs`. An outage of Kinde is a
 * warning, whatever the mode: keys that other instances share can still be verified.
 *
 * @throws {KindeApiKeyConfigurationError} INVALID_CONFIGURATION in the mode `'error'`, with every problem and where to mend it in Kinde
 */
export async function verifyAtBoot(doctor: Pick<ApiKeyDoctor, 'examineAtBoot'>, mode: Mode, log: Log): Promise<void> {
  if (mode === false) return;
  const findings = await doctor.examineAtBoot();
  const problems = findings.filter(({ status, code }) => status === 'problem' && code !== 'REACHABILITY');
  if (mode === 'error' && problems.length > 0)
    throw new KindeApiKeyConfigurationError('Kinde is not set up for this app:', problems.map(describe));
  const lines = findings.filter(({ status }) => status !== 'ok').map(describe);
  const shown = lines.length > MAX_LINES ? lines.slice(0, MAX_LINES - 1) : lines;
  for (const line of shown) log.warn(line);
  if (shown.length < lines.length)
    log.warn(`${lines.length - shown.length} more are like these. ApiKeyDoctor lists all of them`);
}

function describe({ seen, means, cure }: Finding): string {
  return `${seen}${seen.endsWith('?') ? '' : '.'} ${means}. ${cure}`;
}
