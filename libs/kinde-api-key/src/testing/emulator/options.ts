import type { Clock } from '../../clock.js';
import type { KindeEmulatorApiOptions } from './api-catalogue.js';
import type { KindeEmulatorCredentials } from './applications.js';
import type { KindeEmulatorCallLimit } from './call-limit.js';
import { checkOptionNames } from './checks.js';
import type { KindeEmulatorKeyOptions } from './key-store.js';

/**
 * How verify answers for a key that is not valid. Kinde does not document it, so a client must handle each.
 *
 * - `'200'`: `is_valid: false`. A revoked or inactive key has all other fields, `status` included. An unknown key has none.
 * - `'200-nulls'`: `is_valid: false`, all other fields null, for revoked, inactive and unknown keys alike.
 * - `400`, `401`, `403` with an `errors` array, `404` with an `errors` object, for revoked, inactive and unknown keys alike.
 */
export type KindeEmulatorInvalidKeyAnswer = '200' | '200-nulls' | 400 | 401 | 403 | 404;

/** All values of {@link KindeEmulatorInvalidKeyAnswer}. */
export const INVALID_KEY_ANSWERS: readonly KindeEmulatorInvalidKeyAnswer[] = ['200', '200-nulls', 400, 401, 403, 404];

/** Options of `KindeEmulator.start()`. Each has a default. */
export interface KindeEmulatorOptions {
  /** TCP port on 127.0.0.1, 0 to 65,535. 0 selects a free one. Default 0. */
  readonly port?: number | undefined;
  /** Clock for token expiry and timestamps. A separate clock imitates skew between Kinde and the app. Default: the system clock. */
  readonly clock?: Clock | undefined;
  /** How verify answers for a key that is not valid. May be changed while the emulator runs. Default `'200'`. */
  readonly invalidKeyAnswer?: KindeEmulatorInvalidKeyAnswer | undefined;
  /** Credentials of the first M2M application. Default: random. */
  readonly credentials?: KindeEmulatorCredentials | undefined;
  /** Scopes of the first M2M application. Default: `read:`, `create:`, `update:`, `delete:api_keys`, `read:apis`, `read:api_scopes`. */
  readonly scopes?: readonly string[] | undefined;
  /** Lifetime of the first application's tokens in seconds, an integer of at least 1. Default 86,400 (24 h). */
  readonly tokenLifetimeSeconds?: number | undefined;
  /** Registered APIs besides Kinde's Management API, at least one. Default: one with the scopes `read:users` and `write:users`. */
  readonly apis?: readonly KindeEmulatorApiOptions[] | undefined;
  /** Limit of calls to the Management API, which verify belongs to. Beyond it, calls are answered with 429. Default: none. */
  readonly callLimit?: KindeEmulatorCallLimit | undefined;
  /** API keys that exist from the start, as for `createKey()`. Default: none. */
  readonly keys?: readonly KindeEmulatorKeyOptions[] | undefined;
}

const OPTION_NAMES = [
  'port',
  'clock',
  'invalidKeyAnswer',
  'credentials',
  'scopes',
  'tokenLifetimeSeconds',
  'apis',
  'callLimit',
  'keys',
];

/** @throws {TypeError} If an option is unknown, or `port`, `clock`, `invalidKeyAnswer` or `callLimit` is not valid. */
export function checkEmulatorOptions(options: KindeEmulatorOptions): void {
  checkOptionNames('start', options, OPTION_NAMES);
  const { port = 0, clock, invalidKeyAnswer = '200', callLimit } = options;
  if (!Number.isSafeInteger(port) || port < 0 || port > 65_535) {
    throw new TypeError(`KindeEmulator: port must be an integer from 0 to 65535, got ${String(port)}`);
  }
  if (clock !== undefined && typeof clock.now !== 'function') {
    throw new TypeError('KindeEmulator: clock must have a method now() that returns milliseconds since the Unix epoch');
  }
  checkInvalidKeyAnswer(invalidKeyAnswer);
  for (const value of callLimit ? [callLimit.calls, callLimit.windowMs] : []) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new TypeError('KindeEmulator: callLimit must be { calls, windowMs }, both integers of at least 1');
  }
}

/** @throws {TypeError} If the value is not in {@link INVALID_KEY_ANSWERS}. The message lists them. */
export function checkInvalidKeyAnswer(value: unknown): KindeEmulatorInvalidKeyAnswer {
  const known = INVALID_KEY_ANSWERS.find((answer) => answer === value);
  if (known !== undefined) return known;
  const valid = INVALID_KEY_ANSWERS.map((answer) => JSON.stringify(answer).replaceAll('"', "'")).join(', ');
  throw new TypeError(`KindeEmulator: invalidKeyAnswer must be one of ${valid}, got ${String(value)}`);
}
