import { RawKey } from '../../libs/kinde-api-key/src/api-key/raw-key.js';
import type { Clock } from '../../libs/kinde-api-key/src/clock.js';
import type { ResolvedOptions } from '../../libs/kinde-api-key/src/config/resolved-options.js';
import { AxiosKindeHttp, unsharedHttpService } from '../../libs/kinde-api-key/src/kinde/axios-http.js';
import type { KindeHttp } from '../../libs/kinde-api-key/src/kinde/http.js';
import { KeyVerifier } from '../../libs/kinde-api-key/src/kinde/key-verifier.js';
import type { Priority } from '../../libs/kinde-api-key/src/kinde/limits/admission.js';
import type { Log } from '../../libs/kinde-api-key/src/log.js';
import type { KindeEmulator } from '../../libs/kinde-api-key/src/testing/index.js';

/** What a spec changes about a verifier. */
export interface VerifierOptions extends Partial<ResolvedOptions['kinde']> {
  /** Default: HTTP over a socket, with an `HttpService` of its own. */
  readonly http?: KindeHttp;
}

/** @returns a well-formed key, or fails the test */
export function rawKey(text: string): RawKey {
  const key = RawKey.parse(text);
  if (!key) throw new Error(`not a well-formed key: ${text}`);
  return key;
}

/** @returns the text of a well-formed key that Kinde does not know */
export const unknownKey = (index = 0): string => `k_live_${String(index).padStart(20, '0')}`;

/** @returns a log that keeps its lines */
export function newLog() {
  const lines: string[] = [];
  let onLine = (_line: string): void => {};
  const write = (message: string): void => {
    lines.push(message);
    onLine(message);
  };
  const log: Log = { debug: write, log: write, warn: write, error: write };
  /** Waits for the next line. */
  const nextLine = () => new Promise<string>((resolve) => (onLine = resolve));
  return { log, lines, nextLine };
}

/** @returns a verifier that asks the emulator, with limits that no spec meets by accident. Close it after the test */
export function newVerifier(
  kinde: Pick<KindeEmulator, 'domain' | 'credentials'>,
  clock: Clock,
  { http, ...options }: VerifierOptions = {},
) {
  const { log, lines, nextLine } = newLog();
  const verifier = new KeyVerifier(
    http ?? new AxiosKindeHttp(unsharedHttpService()),
    {
      origin: kinde.domain,
      ...kinde.credentials,
      audience: `${kinde.domain}/api`,
      apiId: null,
      timeoutMs: 2_000,
      retries: 0,
      maxConcurrent: 64,
      maxPerSecond: 100_000,
      maxQueued: 1_000,
      ...options,
    },
    clock,
    log,
  );
  const verify = (key: string, priority: Priority = 'new') => verifier.verify(rawKey(key), priority);
  return { verifier, verify, lines, nextLine };
}
