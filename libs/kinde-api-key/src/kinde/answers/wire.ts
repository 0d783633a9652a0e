import type { KindeResponse } from '../http.js';

/** Not usable, or not an answer: nothing is learned from it, and it is never cached. */
export interface UnusableAnswer {
  readonly kind: 'outage';
  /** What is wrong with it, in our words: for the log and the error. */
  readonly problem: string;
  /** Whether a retry of the call may help. */
  readonly retryable: boolean;
  /** Whether the cause may be the one key: Kinde, or a firewall before it, gave a complete answer that would depend on the request. */
  readonly mayBeTheKey: boolean;
}

/** What any call can get instead of an answer. `throttled` is a 429: Kinde asks us to slow down, and its headers say for how long. */
export type NoAnswer = UnusableAnswer | { readonly kind: 'throttled' };

/** Whether nothing is learned from a parsed answer. */
export function bringsNothing(answer: { readonly kind: string }): answer is NoAnswer {
  return answer.kind === 'throttled' || answer.kind === 'outage';
}

/** Returns an {@link UnusableAnswer} for which a retry does not help. `problem` is in our words. */
export function unusable(problem: string): UnusableAnswer {
  return { kind: 'outage', problem: `Kinde's answer is not usable (${problem})`, retryable: false, mayBeTheKey: true };
}

/**
 * What a status means to a call that gives it no meaning of its own: 429 slow down, everything else an outage, a redirect included.
 * After 502, 503 and 504 a retry may help. A firewall's 4xx may be about the one key.
 */
export function answerOfStatus(status: number): NoAnswer {
  if (status === 429) return { kind: 'throttled' };
  const retryable = [502, 503, 504].includes(status);
  const mayBeTheKey = status >= 400 && status < 500;
  return { kind: 'outage', problem: `Kinde answered with status ${status}`, retryable, mayBeTheKey };
}

/** Returns the outage of a 4xx that would be a refusal if {@link isKindeError} held. Says where to look. */
export function foreignAnswer(status: number): UnusableAnswer {
  return unusable(
    `status ${status} without an error in Kinde's format: a firewall, a proxy or another server answered, or the route does not exist`,
  );
}

/** An unchecked JSON object. Read it with {@link ownField}. */
export type WireObject = Readonly<Record<string, unknown>>;

/** Returns a body as a JSON object, or `undefined` for anything else, e.g. an array or a body with a byte order mark. */
export function parseObject(body: string): WireObject | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isWireObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const JSON_TYPE = /^\s*application\/(?:[\w!#$&^.+-]+\+)?json\s*(?:;|$)/i;

/**
 * Returns the body of an answer, or what is wrong with it in our words. Its content type must be `application/json` or
 * `application/…+json`, with or without parameters, so that a proxy's login page is not taken for an answer of Kinde.
 */
export function parseJsonAnswer({ headers, body }: KindeResponse): WireObject | string {
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) return 'its content type is not JSON';
  return parseObject(body) ?? 'it is not a JSON object';
}

/** Kinde's error for a path that its API does not have (Kinde's documented example of a 404). It says nothing about a key. */
const NO_ROUTE = 'ROUTE_NOT_FOUND';

/**
 * Whether an answer is an error of Kinde's API about the content of the request: JSON with `errors`, one object in a 404 and an array of
 * them elsewhere. A page of a firewall or a proxy is not, and neither is an error about the route.
 */
export function isKindeError(response: KindeResponse): boolean {
  const answer = parseJsonAnswer(response);
  if (typeof answer === 'string') return false;
  const errors = [ownField(answer, 'errors')].flat();
  return errors.length > 0 && errors.every((error) => isWireObject(error) && saysWhy(error));
}

function saysWhy(error: WireObject): boolean {
  const code = ownField(error, 'code');
  return code !== NO_ROUTE && [code, ownField(error, 'message')].some((text) => typeof text === 'string');
}

/** Whether a JSON value is an object and neither null nor an array. */
export function isWireObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads an own property of an answer. Ignores inherited ones. */
export function ownField(object: WireObject, field: string): unknown {
  return Object.hasOwn(object, field) ? object[field] : undefined;
}

/** Whether a value is an array of strings. */
export function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}
