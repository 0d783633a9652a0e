import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { KindeResponse } from '../http.js';
import { parseVerifyAnswer, type VerifyAnswer } from './verify-answer.js';

interface WireCase {
  readonly name: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly outcome: string;
  readonly cacheable: boolean;
}

const CASES = JSON.parse(readFileSync(join(__dirname, 'wire-answers.json'), 'utf8')) as WireCase[];
const JSON_HEADERS = { 'content-type': 'application/json' };
const GOOD = {
  is_valid: true,
  key_id: 'api_key_1',
  status: 'active',
  scopes: ['read:users'],
  org_code: 'org_1',
  user_id: 'kp_1',
  last_verified_on: '2024-11-18T13:32:03+11',
  verification_count: 3,
};

const textOf = (body: unknown): string => (typeof body === 'string' ? body : JSON.stringify(body));
const answer200 = (body: unknown): KindeResponse => ({ status: 200, headers: JSON_HEADERS, body: textOf(body) });

function outcomeOf(answer: VerifyAnswer): string {
  if (answer.kind === 'throttled') return 'outage';
  if (answer.kind === 'outage') return answer.mayBeTheKey ? 'unusable' : 'outage';
  if (answer.kind !== 'verdict') return answer.kind;
  return answer.verdict.accepted ? 'accepted' : answer.verdict.reason;
}

/** The key of an accepted answer; fails the test for any other. */
function acceptedKey(body: unknown) {
  const answer = parseVerifyAnswer(answer200(body));
  if (answer.kind !== 'verdict' || !answer.verdict.accepted) throw new Error(`not accepted: ${JSON.stringify(answer)}`);
  return answer.verdict.apiKey;
}

describe('wire-answers.json', () => {
  it.each(CASES.map((wire) => [wire.name, wire] as const))('%s', (_name, { status, headers, body, outcome }) => {
    expect(outcomeOf(parseVerifyAnswer({ status, headers, body: textOf(body) }))).toBe(outcome);
  });

  it('names every case differently', () => {
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  });

  it('marks verdicts as cacheable, and nothing else', () => {
    const verdicts = ['accepted', 'unknown', 'revoked', 'inactive'];
    expect(CASES.filter(({ cacheable, outcome }) => cacheable !== verdicts.includes(outcome))).toEqual([]);
  });
});

describe('parseVerifyAnswer', () => {
  it('reads every field of the answer', () => {
    expect(acceptedKey(GOOD)).toEqual({
      keyId: 'api_key_1',
      scopes: ['read:users'],
      orgCode: 'org_1',
      userId: 'kp_1',
      ownerType: 'user',
      lastVerifiedOn: '2024-11-18T13:32:03+11',
      verificationCount: 3,
    });
  });

  it.each([
    ['user', 'org_1', 'kp_1'],
    ['user', null, 'kp_1'],
    ['organization', 'org_1', null],
    ['organization', 'org_1', ''],
    ['environment', null, null],
    ['environment', '', ''],
  ])('sets ownerType to %s for org_code %j and user_id %j', (ownerType, orgCode, userId) => {
    const key = acceptedKey({ ...GOOD, org_code: orgCode, user_id: userId });
    expect(key).toMatchObject({ ownerType, orgCode: orgCode || null, userId: userId || null });
  });

  it('sets absent fields to null', () => {
    const key = acceptedKey({ is_valid: true, key_id: 'api_key_1', status: 'active' });
    expect(key).toMatchObject({
      scopes: [],
      orgCode: null,
      userId: null,
      lastVerifiedOn: null,
      verificationCount: null,
    });
  });

  it.each([null, undefined])('reads scopes %j as none', (scopes) => {
    expect(acceptedKey({ ...GOOD, scopes }).scopes).toEqual([]);
  });

  it('sets statistics that cannot be read to null', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (last_verified_on, verification_count) => {
        const key = acceptedKey({ ...GOOD, last_verified_on, verification_count });
        expect(key.lastVerifiedOn).toBe(typeof last_verified_on === 'string' ? last_verified_on : null);
        const isCount = Number.isSafeInteger(verification_count) && (verification_count as number) >= 0;
        // JSON has no negative zero.
        expect(key.verificationCount).toBe(isCount ? (verification_count as number) + 0 : null);
      }),
    );
  });

  it('freezes the verdict, the key and its scopes', () => {
    const answer = parseVerifyAnswer(answer200(GOOD));
    if (answer.kind !== 'verdict' || !answer.verdict.accepted) throw new Error('not accepted');
    expect([answer.verdict, answer.verdict.apiKey, answer.verdict.apiKey.scopes].every(Object.isFrozen)).toBe(true);
  });

  it('keeps scopes unchanged, duplicate and empty ones included', () => {
    expect(acceptedKey({ ...GOOD, scopes: ['b', 'a', 'b', ''] }).scopes).toEqual(['b', 'a', 'b', '']);
  });

  it('marks an unknown status, and no known one', () => {
    const marks = ['active', 'inactive', 'revoked', 'suspended'].map((status) => {
      const answer = parseVerifyAnswer(answer200({ ...GOOD, status }));
      return answer.kind === 'verdict' && answer.unknownStatus;
    });
    expect(marks).toEqual([false, false, false, true]);
  });

  it('marks 502, 503 and 504 as retryable, and no other status', () => {
    const worthIt = Array.from({ length: 500 }, (_, index) => index + 100).filter((status) => {
      const answer = parseVerifyAnswer({ status, headers: {}, body: '' });
      return answer.kind === 'outage' && answer.retryable;
    });
    expect(worthIt).toEqual([502, 503, 504]);
  });

  const statusesWith = (body: unknown, kind: VerifyAnswer['kind']) =>
    Array.from({ length: 500 }, (_, index) => index + 100).filter(
      (status) => parseVerifyAnswer({ status, headers: JSON_HEADERS, body: textOf(body) }).kind === kind,
    );

  it('returns a verdict for status 200 with a verification, and for 400 and 404 with an error of Kinde alone', () => {
    expect(statusesWith(GOOD, 'verdict')).toEqual([200]);
    expect(statusesWith({ errors: [{ code: 'A', message: 'B' }] }, 'verdict')).toEqual([400, 404]);
    expect(statusesWith({ errors: { code: 'A', message: 'B' } }, 'token_rejected')).toEqual([401, 403]);
  });

  it('treats a 4xx of any other text or JSON as an outage', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.constant('{"errors":[]}'));
    fc.assert(
      fc.property(fc.constantFrom(400, 401, 403, 404), text, (status, body) => {
        if (/"errors":[[{]+"/.test(body)) return;
        expect(parseVerifyAnswer({ status, headers: JSON_HEADERS, body })).toMatchObject({ kind: 'outage' });
      }),
    );
  });

  it('says where to look after a 4xx that is not of Kinde', () => {
    const answer = parseVerifyAnswer({ status: 403, headers: { 'content-type': 'text/html' }, body: '<html>' });
    expect(answer).toMatchObject({ problem: expect.stringMatching(/status 403 .*a firewall, a proxy/) as string });
  });

  it('survives the deepest nesting that fits into an answer', () => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    expect(outcomeOf(parseVerifyAnswer(answer200(deep)))).toBe('unusable');
    expect(outcomeOf(parseVerifyAnswer(answer200(`{"is_valid":${deep}}`)))).toBe('unusable');
  });

  it('ignores inherited properties', () => {
    const inherited = Object.getOwnPropertyDescriptor(Object.prototype, 'is_valid');
    Object.defineProperty(Object.prototype, 'is_valid', { value: true, configurable: true });
    try {
      const { is_valid: _dropped, ...rest } = GOOD;
      expect(outcomeOf(parseVerifyAnswer(answer200(rest)))).toBe('unusable');
    } finally {
      Reflect.deleteProperty(Object.prototype, 'is_valid');
    }
    expect(inherited).toBeUndefined();
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    ' APPLICATION/JSON ;x=1',
    'application/problem+json',
  ])('accepts the content type %j', (type) => {
    const response = { status: 200, headers: { 'content-type': type }, body: textOf(GOOD) };
    expect(outcomeOf(parseVerifyAnswer(response))).toBe('accepted');
  });

  it.each([
    'text/html',
    'text/json',
    'application/jsonp',
    'application/json+xml',
    'application/+json',
    'x application/json',
    '',
  ])('treats a good body with content type %j as an outage', (type) => {
    const response = { status: 200, headers: { 'content-type': type }, body: textOf(GOOD) };
    expect(outcomeOf(parseVerifyAnswer(response))).toBe('unusable');
  });

  it('treats a good body without a content type as an outage', () => {
    expect(outcomeOf(parseVerifyAnswer({ status: 200, headers: {}, body: textOf(GOOD) }))).toBe('unusable');
  });

  it.each([
    [{ is_valid: 'true' }, "'is_valid' is not a boolean"],
    [{ status: 1 }, "'status' is not a string"],
    [{ key_id: '' }, "'key_id' is not a string"],
    [{ scopes: 'read:users' }, "'scopes' is not an array of strings"],
    [{ org_code: 1 }, "'org_code' is not a string or null"],
    [{ user_id: {} }, "'user_id' is not a string or null"],
  ])('names the problem of %j', (fields, reason) => {
    const problem = `Kinde's answer is not usable (${reason})`;
    expect(parseVerifyAnswer(answer200({ ...GOOD, ...fields }))).toMatchObject({ kind: 'outage', problem });
  });

  it('names the problem of an answer that is not a JSON object', () => {
    const problem = "Kinde's answer is not usable (it is not a JSON object)";
    expect(parseVerifyAnswer(answer200('[]'))).toMatchObject({ kind: 'outage', problem });
  });

  it('does not repeat text of an unusable answer', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z]{12}$/), fc.constantFrom(...Object.keys(GOOD)), (canary, field) => {
        const answer = parseVerifyAnswer(answer200({ ...GOOD, [field]: { [canary]: canary } }));
        expect(JSON.stringify(answer)).not.toContain(canary);
      }),
    );
  });

  it('returns a verdict, an outage or a rejected token for any status, header and text, and never throws', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.jsonValue().map(textOf));
    const type = fc.oneof(fc.constant('application/json'), fc.string());
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), type, text, (status, contentType, body) => {
        const answer = parseVerifyAnswer({ status, headers: { 'content-type': contentType }, body });
        expect(['verdict', 'outage', 'throttled', 'token_rejected']).toContain(answer.kind);
      }),
      { numRuns: 1_000 },
    );
  });

  it('accepts only an object with is_valid true, status active, an id and string scopes', () => {
    const field = <T>(value: fc.Arbitrary<T>) => fc.option(fc.oneof(value, fc.jsonValue()), { nil: undefined });
    const almost = fc.record({
      is_valid: field(fc.constant(true)),
      key_id: field(fc.string()),
      status: field(fc.constantFrom('active', 'revoked', 'inactive')),
      scopes: field(fc.array(fc.string())),
      org_code: field(fc.string()),
      user_id: field(fc.string()),
    });
    fc.assert(
      fc.property(almost, (value) => {
        if (outcomeOf(parseVerifyAnswer(answer200(value))) !== 'accepted') return;
        expect(value).toMatchObject({ is_valid: true, status: 'active' });
        expect(typeof value.key_id === 'string' && value.key_id !== '').toBe(true);
        expect(((value.scopes ?? []) as unknown[]).every((scope) => typeof scope === 'string')).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('does not accept a refused answer with any change of its other fields', () => {
    const refused = fc.oneof(
      fc.record({ is_valid: fc.jsonValue().filter((value) => value !== true), status: fc.constant('active') }),
      fc.record({ is_valid: fc.constant(true), status: fc.jsonValue().filter((value) => value !== 'active') }),
    );
    fc.assert(
      fc.property(
        refused,
        fc.dictionary(fc.constantFrom(...Object.keys(GOOD), '__proto__', 'x'), fc.jsonValue()),
        (core, change) => {
          const body = JSON.stringify({ ...GOOD, ...change, ...core });
          expect(outcomeOf(parseVerifyAnswer(answer200(body)))).not.toBe('accepted');
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('treats every truncated answer as an outage', () => {
    const whole = textOf(GOOD);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(outcomeOf(parseVerifyAnswer(answer200(whole.slice(0, length))))).toBe('unusable');
      }),
    );
  });
});
