import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { FaultObject, KindeEmulatorEndpoint, KindeEmulatorFault, KindeEmulatorFaultTarget } from './faults.js';

const ENDPOINTS: readonly string[] = ['token', 'verify', 'keys', 'apis', 'jwks'] satisfies KindeEmulatorEndpoint[];
const TOKEN_ERRORS: readonly unknown[] = ['invalid_client', 'unauthorized_client', 'invalid_scope', 'invalid_request'];
const REDIRECT_STATUSES: readonly unknown[] = [undefined, 301, 302, 303, 307, 308];

interface FaultKind {
  /** Property that identifies this kind. */
  readonly name: string;
  readonly extras: readonly string[];
  readonly expects: string;
  readonly accepts: (value: unknown, fault: Readonly<Record<string, unknown>>) => boolean;
}

const isTrue = (value: unknown): boolean => value === true;
const isInteger = (value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): boolean =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
/** Longest delay that Node timers support. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** `redirect` before `status`, because a redirect may have a status. */
const KINDS: readonly FaultKind[] = [
  {
    name: 'redirect',
    extras: ['status'],
    expects: 'a URL, with a status of 301, 302, 303, 307 or 308',
    accepts: (value, { status }) =>
      typeof value === 'string' && isHeaders({ location: value }) && REDIRECT_STATUSES.includes(status),
  },
  {
    name: 'status',
    extras: ['body', 'headers', 'rateLimitReset', 'echo'],
    expects:
      'an integer from 200 to 599, with a body that JSON can hold, valid headers, a rateLimitReset of 0 or more seconds, and a boolean echo',
    accepts: (value, { body, headers, rateLimitReset, echo }) =>
      isInteger(value, 200, 599) &&
      isSendable(body) &&
      isHeaders(headers ?? {}) &&
      (rateLimitReset === undefined || isInteger(rateLimitReset, 0)) &&
      (echo === undefined || typeof echo === 'boolean'),
  },
  {
    name: 'delayMs',
    extras: [],
    expects: `an integer from 0 to ${LONGEST_TIMER_MS}`,
    accepts: (value) => isInteger(value, 0, LONGEST_TIMER_MS),
  },
  {
    name: 'holdUntil',
    extras: [],
    expects: 'a promise',
    accepts: (value) => typeof (value as PromiseLike<unknown> | undefined)?.then === 'function',
  },
  { name: 'hang', extras: [], expects: 'true', accepts: isTrue },
  { name: 'reset', extras: [], expects: 'true', accepts: isTrue },
  { name: 'malformed', extras: [], expects: 'true', accepts: isTrue },
  { name: 'truncated', extras: [], expects: 'true', accepts: isTrue },
  {
    name: 'huge',
    extras: ['declared'],
    expects: 'a number of bytes, an integer of at least 16',
    accepts: (value) => isInteger(value, 16),
  },
  { name: 'endless', extras: [], expects: 'true', accepts: isTrue },
  {
    name: 'trickleMs',
    extras: [],
    expects: `an integer from 1 to ${LONGEST_TIMER_MS}`,
    accepts: (value) => isInteger(value, 1, LONGEST_TIMER_MS),
  },
  {
    name: 'tokenError',
    extras: [],
    expects: `one of ${TOKEN_ERRORS.join(', ')}`,
    accepts: (value) => TOKEN_ERRORS.includes(value),
  },
];

/**
 * Checks a fault and returns a frozen copy in its long form.
 *
 * @throws {TypeError} If the fault is unknown (the message lists the valid ones), or has a value that is not valid.
 */
export function parseFault(fault: KindeEmulatorFault): FaultObject {
  const given: unknown = typeof fault === 'number' ? { status: fault } : fault;
  if (typeof given !== 'object' || given === null) throw unknownFault();
  const object = { ...given } as Readonly<Record<string, unknown>>;
  const kind = KINDS.find(({ name }) => name in object);
  if (!kind) throw unknownFault();
  const foreign = Object.keys(object).find((name) => name !== kind.name && !kind.extras.includes(name));
  if (foreign !== undefined) {
    throw new TypeError(`KindeEmulator: the fault "${kind.name}" takes no "${foreign}". ${validFaults()}`);
  }
  if (!kind.accepts(object[kind.name], object)) {
    throw new TypeError(`KindeEmulator: the fault "${kind.name}" must be ${kind.expects}`);
  }
  return Object.freeze(object) as unknown as FaultObject;
}

/** Parses endpoint and number of times. @throws {TypeError} If the endpoint is unknown or the number is not an integer of at least 1. */
export function parseFaultTarget(
  fault: FaultObject,
  target: KindeEmulatorFaultTarget = {},
): { readonly times: number; readonly where: KindeEmulatorEndpoint | undefined } {
  const { times, where } =
    typeof target === 'number'
      ? { times: target, where: undefined }
      : typeof target === 'string'
        ? { times: undefined, where: target }
        : target;
  if (times !== undefined && !isInteger(times, 1)) {
    throw new TypeError(`KindeEmulator: times must be an integer of at least 1, got ${String(times)}`);
  }
  if (where !== undefined) checkEndpoint(where);
  if ('tokenError' in fault && where !== undefined && where !== 'token') {
    throw new TypeError('KindeEmulator: the fault "tokenError" happens at the endpoint token only');
  }
  return { times: times ?? 1, where: 'tokenError' in fault ? 'token' : where };
}

/** @throws {TypeError} If the endpoint is unknown. The message lists the valid ones. */
export function checkEndpoint(where: string): void {
  if (ENDPOINTS.includes(where)) return;
  throw new TypeError(`KindeEmulator: there is no endpoint "${where}". Valid: ${ENDPOINTS.join(', ')}`);
}

function isSendable(body: unknown): boolean {
  if (body === undefined || Buffer.isBuffer(body)) return true;
  try {
    return JSON.stringify(body) !== undefined;
  } catch {
    return false;
  }
}

function isHeaders(headers: unknown): boolean {
  if (typeof headers !== 'object' || headers === null) return false;
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value as string);
    }
    return true;
  } catch {
    return false;
  }
}

function unknownFault(): TypeError {
  return new TypeError(`KindeEmulator: unknown fault. ${validFaults()}`);
}

function validFaults(): string {
  const names = KINDS.map(({ name, extras }) => `{ ${[name, ...extras.map((extra) => `${extra}?`)].join(', ')} }`);
  return `Valid: a status as a number, or one of ${names.join(', ')}`;
}
