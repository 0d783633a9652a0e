import { SystemClock } from '../../clock.js';
import { resolveOptions, type ResolvedOptions } from '../../config/resolved-options.js';
import { ApiKeyDoctor } from '../../doctor/api-key-doctor.js';
import type { ExaminationSetup } from '../../doctor/examination.js';
import { problem, type Finding } from '../../doctor/finding.js';
import { KindeApiKeyConfigurationError } from '../../kinde-api-key.errors.js';
import { AxiosKindeHttp, unsharedHttpService } from '../../kinde/axios-http.js';
import { KeyVerifier } from '../../kinde/key-verifier.js';

/** Examines the Kinde application that an environment names, and a key if one is given. */
export async function examineEnvironment(env: NodeJS.ProcessEnv, rawKey: string | undefined): Promise<Finding[]> {
  try {
    return await withKinde(env, ({ connection, options, verifier }) =>
      new ApiKeyDoctor(connection, options, verifier, () => null).examine(rawKey === undefined ? {} : { rawKey }),
    );
  } catch (error) {
    if (!(error instanceof KindeApiKeyConfigurationError)) throw error;
    return configurationFindings(error, 'Correct it in the environment, or in forRoot()');
  }
}

/** Returns a finding for each problem of the configuration. */
export function configurationFindings({ problems }: KindeApiKeyConfigurationError, cure: string): Finding[] {
  return problems.map((one) => problem('CONFIGURATION', one, 'The app does not start', cure));
}

/** How an environment reaches Kinde. */
export interface KindeOfEnvironment {
  readonly connection: ExaminationSetup['connection'];
  readonly options: ResolvedOptions['kinde'];
  readonly verifier: KeyVerifier;
}

/** Connects as the environment says, and drops the connections afterwards. @throws {KindeApiKeyConfigurationError} with every problem */
export async function withKinde<T>(
  env: NodeJS.ProcessEnv,
  work: (kinde: KindeOfEnvironment) => Promise<T>,
): Promise<T> {
  const { kinde: options, http: httpOptions } = resolveOptions({}, env);
  const { origin, timeoutMs } = options;
  const http = new AxiosKindeHttp(unsharedHttpService(), httpOptions, timeoutMs / 2);
  const clock = new SystemClock();
  // What is printed says what the log would.
  const ignore = () => undefined;
  const log = { debug: ignore, log: ignore, warn: ignore, error: ignore };
  const verifier = new KeyVerifier(http, options, clock, log);
  try {
    return await work({ connection: { origin, timeoutMs, http, clock, log }, options, verifier });
  } finally {
    verifier.close();
  }
}
