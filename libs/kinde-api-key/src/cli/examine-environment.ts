import { SystemClock } from '../clock.js';
import { resolveOptions, type ResolvedOptions } from '../config/resolved-options.js';
import { ApiKeyDoctor } from '../doctor/api-key-doctor.js';
import { problem, type Finding } from '../doctor/finding.js';
import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';
import { AxiosKindeHttp, unsharedHttpService } from '../kinde/axios-http.js';
import { KeyVerifier } from '../kinde/key-verifier.js';

/** Examines the Kinde application that an environment names, and a key if one is given. */
export async function examineEnvironment(env: NodeJS.ProcessEnv, rawKey: string | undefined): Promise<Finding[]> {
  let options: ResolvedOptions;
  try {
    options = resolveOptions({}, env);
  } catch (error) {
    if (!(error instanceof KindeApiKeyConfigurationError)) throw error;
    const cure = 'Correct it in the environment, or in forRoot()';
    return error.problems.map((one) => problem('CONFIGURATION', one, 'The app does not start', cure));
  }
  const { origin, timeoutMs } = options.kinde;
  const http = new AxiosKindeHttp(unsharedHttpService(), options.http, timeoutMs / 2);
  const clock = new SystemClock();
  // The findings say what the log would.
  const ignore = () => undefined;
  const log = { debug: ignore, log: ignore, warn: ignore, error: ignore };
  const verifier = new KeyVerifier(http, options.kinde, clock, log);
  try {
    const connection = { origin, timeoutMs, http, clock, log };
    const doctor = new ApiKeyDoctor(connection, options.kinde, verifier, () => null);
    return await doctor.examine(rawKey === undefined ? {} : { rawKey });
  } finally {
    verifier.close();
  }
}
