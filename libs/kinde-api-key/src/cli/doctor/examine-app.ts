import { API_KEY_DOCTOR, type ApiKeyDoctor } from '../../doctor/api-key-doctor.js';
import type { Finding } from '../../doctor/finding.js';
import type { KindeApiKeyConfigurationError } from '../../kinde-api-key.errors.js';
import { configurationFindings } from './examine-environment.js';
import { providersOf, withApp } from '../run-app.js';

/** Examines an app as its own `ApiKeyDoctor` does: with its options, routes and decorators. One registration after the other. */
export async function examineApp(file: string, rawKey: string | undefined): Promise<Finding[]> {
  try {
    return await withApp(file, async (app) => {
      const findings: Finding[] = [];
      for (const doctor of providersOf<ApiKeyDoctor>(app, API_KEY_DOCTOR, file))
        findings.push(...(await doctor.examine(rawKey === undefined ? {} : { rawKey })));
      return findings;
    });
  } catch (error) {
    if (!isConfigurationError(error)) throw error;
    return configurationFindings(error, 'Correct it in forRoot(), in the environment or on the handler');
  }
}

/** The error may be of another copy of the library: of a CommonJS app beside this command line. */
function isConfigurationError(error: unknown): error is KindeApiKeyConfigurationError {
  const { code, problems } = Object(error) as { code?: unknown; problems?: unknown };
  return code === 'INVALID_CONFIGURATION' && Array.isArray(problems);
}
