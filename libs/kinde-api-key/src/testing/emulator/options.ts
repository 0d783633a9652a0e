import type { Clock } from '../../clock.js';
import type { KindeEmulatorApiOptions } from './api-catalogue.js';
import type { KindeEmulatorCredentials } from './applications.js';
import { checkOptionNames } from './checks.js';
import type { KindeEmulatorKeyOptions } from './key-store.js';

/**
 * How verify answers for a key that is not valid. Kinde's documents leave it open, so a client must be safe under each.
 *
 * - `'200'`: `is_valid: false`. An unknown key has no other fields; a revoked or inactive one has them all, `status` included.
 * - `'200-nulls'`: `is_valid: false`, the other fields null; revoked, inactive and unknown look the same.
 * - `400`, `401`, `403`: an `errors` array; `404`: an `errors` object; revoked, inactive and unknown look the same.
 */
export type KindeEmulatorInvalidKeyAnswer = '200' | '200-nulls' | 400 | 401 | 403 | 404;

/** Every way to answer for a key that is not valid. */
export const INVALID_KEY_ANSWERS: readonly KindeEmulatorInvalidKeyAnswer[] = ['200', '200-nulls', 400, 401, 403, 404];

/** Options of `KindeEmulator.start()`; each has a default. */
export interface KindeEmulatorOptions {
  /** TCP port on 127.0.0.1, 0 to 65,535. Default 0: a free one. */
  readonly port?: number | undefined;
  /** The emulator's time, by which tokens expire and verifications are dated. Default: the machine's. A clock of its own imitates skew. */
  readonly clock?: Clock | undefined;
  /** How verify answers for a key that is not valid. Default `'200'`. Can be changed while the emulator runs. */
  readonly invalidKeyAnswer?: KindeEmulatorInvalidKeyAnswer | undefined;
  /** Credentials of the first M2M application. Default: made-up ones. */
  readonly credentials?: KindeEmulatorCredentials | undefined;
  /** Scopes granted to the first M2M application. Default: `read:`, `create:`, `update:`, `delete:api_keys`, `read:apis`, `read:api_scopes`. */
  readonly scopes?: readonly string[] | undefined;
  /** Lifetime of the first application's tokens in seconds, an integer of at least 1. Default 86,400 (24 h). */
  readonly tokenLifetimeSeconds?: number | undefined;
  /** The registered APIs beside Kinde's Management API, at least one. Default: one with the scopes `read:users` and `write:users`. */
  readonly apis?: readonly KindeEmulatorApiOptions[] | undefined;
  /** API keys that exist from the start, as for `createKey()`. Default none. */
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
  'keys',
];

/** @throws {TypeError} If an option is unknown, or `port`, `clock` or `invalidKeyAnswer` is not valid. */
export function checkEmulatorOptions(options: KindeEmulatorOptions): void {
  checkOptionNames('start', options, OPTION_NAMES);
  const { port = 0, clock, invalidKeyAnswer = '200' } = options;
  if (!Number.isSafeInteger(port) || port < 0 || port > 65_535) {
    throw new TypeError(`KindeEmulator: port must be an integer from 0 to 65535, got ${String(port)}`);
  }
  if (clock !== undefined && typeof clock.now !== 'function') {
    throw new TypeError('KindeEmulator: clock must have a method now() that returns milliseconds since the Unix epoch');
  }
  checkInvalidKeyAnswer(invalidKeyAnswer);
}

/** @throws {TypeError} If it is none of {@link INVALID_KEY_ANSWERS}; the message lists them. */
export function checkInvalidKeyAnswer(value: unknown): KindeEmulatorInvalidKeyAnswer {
  const known = INVALID_KEY_ANSWERS.find((answer) => answer === value);
  if (known !== undefined) return known;
  const valid = INVALID_KEY_ANSWERS.map((answer) => JSON.stringify(answer).replaceAll('"', "'")).join(', ');
  throw new TypeError(`KindeEmulator: invalidKeyAnswer must be one of ${valid}, got ${String(value)}`);
}
