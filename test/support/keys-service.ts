import { ApiKeysService, KindeApiKeyManagementError, type ApiKeySummary } from 'nestjs-kinde-api-key';
import { KindeEmulator, TestClock, type KindeEmulatorOptions } from 'nestjs-kinde-api-key/testing';
import { newVerifier, type VerifierOptions } from './key-verifier.js';

/** A service on an emulator, without an app. */
export interface StartedKeysService extends Pick<ReturnType<typeof newVerifier>, 'verifier' | 'verify'> {
  readonly kinde: KindeEmulator;
  readonly clock: TestClock;
  readonly keys: ApiKeysService;
  /** What it invalidated. */
  readonly invalidated: readonly unknown[];
  /** What it logged as an error. */
  readonly errors: readonly string[];
  /** Makes so many of the next invalidations fail. */
  failInvalidations(count: number): void;
  stop(): Promise<void>;
}

/** Starts an emulator and a service that asks it. */
export async function startKeysService(
  options: VerifierOptions = {},
  emulator: KindeEmulatorOptions = {},
): Promise<StartedKeysService> {
  const clock = new TestClock();
  const kinde = await KindeEmulator.start({ clock, ...emulator });
  const invalidated: unknown[] = [];
  const { verifier, verify } = newVerifier(kinde, clock, options);
  const errors: string[] = [];
  let failing = 0;
  const invalidate = async (target: unknown) => {
    failing -= 1;
    if (failing >= 0) throw new Error('it cannot be invalidated');
    invalidated.push(target);
  };
  const log = { error: (message: string) => void errors.push(message) };
  const keys = new ApiKeysService(verifier.management, { invalidate }, { clock, log });
  const stop = async (): Promise<void> => {
    verifier.close();
    await kinde.stop();
  };
  const failInvalidations = (count: number) => void (failing = count);
  return { kinde, clock, keys, verifier, verify, invalidated, errors, failInvalidations, stop };
}

/** @returns the error of a call that must fail with one of the library's own */
export async function failureOf(call: PromiseLike<unknown>): Promise<KindeApiKeyManagementError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KindeApiKeyManagementError)) throw new Error(`not a management error: ${String(error)}`);
  return error;
}

/** @returns everything that a list yields */
export async function allOf<T = ApiKeySummary>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of list) found.push(one);
  return found;
}
