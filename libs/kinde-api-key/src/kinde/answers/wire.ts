import type { KindeResponse } from '../http.js';

/** An answer that cannot be believed, or none: nothing is learned from it, and it is never remembered. */
export interface UnusableAnswer {
  readonly kind: 'outage';
  /** What was wrong with it, in our words: for the log and the error. */
  readonly problem: string;
  /** Whether sending the call again may help. */
  readonly retryable: boolean;
}

/** 429: Kinde asks us to slow down. Its headers say for how long. */
export interface ThrottledAnswer {
  readonly kind: 'throttled';
}

/**
 * @param problem what is wrong with the answer, in our words
 * @returns an {@link UnusableAnswer} that is not worth a retry
 */
export function unusable(problem: string): UnusableAnswer {
  return { kind: 'outage', problem: `Kinde's answer cannot be believed (${problem})`, retryable: false };
}

/**
 * What a status means that the call in question has no meaning of its own for: slow down, or an outage.
 * 502, 503 and 504 are worth a retry; a redirect is not followed and is an outage like any other.
 */
export function answerOfStatus(status: number): UnusableAnswer | ThrottledAnswer {
  if (status === 429) return { kind: 'throttled' };
  return {
    kind: 'outage',
    problem: `Kinde answered with status ${status}`,
    retryable: [502, 503, 504].includes(status),
  };
}

/** A JSON object of which nothing is known yet. Read it with {@link own}. */
export type WireObject = Readonly<Record<string, unknown>>;

/**
 * @returns the body as a JSON object, or `undefined` if it is anything else: not JSON, an array, a byte order mark in front
 */
export function parseObject(body: string): WireObject | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isWireObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The body of an answer with status 200, which must call itself JSON: `application/json` or `application/…+json`, with or without
 * parameters. A proxy's login page with status 200 is not an answer of Kinde's.
 *
 * @returns the body, or in words what is wrong with it
 */
export function parseJsonAnswer(response: KindeResponse): WireObject | string {
  if (!JSON_TYPE.test(response.headers['content-type'] ?? '')) return 'it does not call itself JSON';
  return parseObject(response.body) ?? 'it is not a JSON object';
}

const JSON_TYPE = /^\s*application\/(?:[\w!#$&^.+-]+\+)?json\s*(?:;|$)/i;

/** Whether a JSON value is an object and neither null nor an array. */
export function isWireObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field of an answer, or `undefined`. Only what the answer itself says: an inherited property is nobody's word. */
export function own(object: WireObject, field: string): unknown {
  return Object.hasOwn(object, field) ? object[field] : undefined;
}

/** Whether a value is an array of strings. */
export function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}
