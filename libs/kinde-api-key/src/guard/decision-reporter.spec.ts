import type { ApiKeyDecision } from '../api-key/decision.js';
import type { RouteRule } from '../rules/route-rule.js';
import { verifiedKey } from '../../../../test/support/verified-key.js';
import { TestClock } from '../testing/test-clock.js';
import { decisionOf, DecisionReporter } from './decision-reporter.js';

const DECISION: ApiKeyDecision = {
  outcome: 'refused',
  code: 'INVALID_KEY',
  route: 'Users.find',
  keyId: null,
  orgCode: null,
  userId: null,
  cached: false,
  principal: null,
  required: null,
  source: 'memory',
  latencyMs: 0.1,
};

function reporterFor(listener: (decision: ApiKeyDecision) => unknown) {
  const log = { error: jest.fn<void, [string]>() };
  const clock = new TestClock();
  return { log, clock, reporter: new DecisionReporter(listener, log, clock) };
}

/** Runs the callbacks of promises that are settled already. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('DecisionReporter', () => {
  it('hands each decision to the listener, once', () => {
    const listener = jest.fn();
    const { reporter } = reporterFor(listener);
    reporter.report(DECISION);
    reporter.report(DECISION);
    expect(listener.mock.calls).toEqual([[DECISION], [DECISION]]);
  });

  it('does not wait for a listener that never ends', () => {
    const { reporter } = reporterFor(() => new Promise(() => undefined));
    expect(reporter.report(DECISION)).toBeUndefined();
  });

  it('logs what the listener throws, and does not throw it', () => {
    const { log, reporter } = reporterFor(() => {
      throw new Error('disk full');
    });
    expect(() => reporter.report(DECISION)).not.toThrow();
    expect(log.error.mock.calls).toEqual([['onDecision failed; the request is not affected: disk full']]);
  });

  it.each([
    ['a promise', (): unknown => Promise.reject(new Error('disk full'))],
    [
      'a promise of another library',
      // oxlint-disable-next-line unicorn/no-thenable -- a promise of another library is what is tested
      (): unknown => ({ then: (_done: unknown, fail: (error: Error) => void) => fail(new Error('disk full')) }),
    ],
  ])('logs what the listener rejects with, and does not reject: %s', async (_case, listener) => {
    const { log, reporter } = reporterFor(listener);
    reporter.report(DECISION);
    await settled();
    expect(log.error.mock.calls).toEqual([['onDecision failed; the request is not affected: disk full']]);
  });

  it.each([
    ['an object without a text', Object.create(null) as unknown, 'object'],
    ['a symbol', Symbol('failure'), 'symbol'],
    ['undefined', undefined, 'undefined'],
  ])('is not broken by a listener that throws %s', async (_case, thrown, type) => {
    for (const listener of [
      () => {
        throw thrown;
      },
      // oxlint-disable-next-line prefer-promise-reject-errors -- what is tested
      () => Promise.reject(thrown),
    ]) {
      const { log, reporter } = reporterFor(listener);
      expect(() => reporter.report(DECISION)).not.toThrow();
      await settled();
      expect(log.error.mock.calls).toEqual([
        [`onDecision failed; the request is not affected: it threw a value of type ${type}`],
      ]);
    }
  });

  it('logs a listener that always fails once a minute, with the number of failures', () => {
    const { log, clock, reporter } = reporterFor(() => {
      throw new Error('disk full');
    });
    for (let count = 0; count < 100; count += 1) reporter.report(DECISION);
    clock.advance(60_000);
    reporter.report(DECISION);
    expect(log.error.mock.calls).toEqual([
      ['onDecision failed; the request is not affected: disk full'],
      ['onDecision failed, 100 times since it was last logged; the requests are not affected: disk full'],
    ]);
  });

  it.each([undefined, null, 7, 'text', {}])('accepts a listener that returns %p', (result) => {
    const { log, reporter } = reporterFor(() => result);
    reporter.report(DECISION);
    expect(log.error).not.toHaveBeenCalled();
  });
});

describe('decisionOf()', () => {
  const required = { scopes: ['a'], anyOf: [], organization: false, user: false, keysOnly: false, maxAgeMs: null };
  const rule = { route: 'Users.find', required } as unknown as RouteRule;
  const noIds = { keyId: null, orgCode: null, userId: null, principal: null };
  const unknown = {
    apiKey: undefined,
    principal: undefined,
    wasCached: undefined,
    source: null,
    startedAtMs: undefined,
  };
  const isFresh = (): boolean => false;

  it('names the key, its owner, the route and what it requires, and where the verdict came from', () => {
    const apiKey = verifiedKey({ userId: 'kp_1' });
    const state = { ...unknown, rule, apiKey, wasCached: false, source: 'shared' } as const;
    expect(decisionOf(state, null, isFresh)).toEqual({
      outcome: 'accepted',
      code: null,
      route: 'Users.find',
      keyId: apiKey.keyId,
      orgCode: apiKey.orgCode,
      userId: 'kp_1',
      cached: false,
      principal: { kind: 'api_key', id: apiKey.keyId },
      required,
      source: 'shared',
      latencyMs: null,
    });
  });

  it('names another principal by its kind and id', () => {
    const principal = { kind: 'session', id: 'u1', scopes: ['a'], orgCode: 'org_a', userId: 'kp_1', email: 'a@b.c' };
    expect(decisionOf({ ...unknown, rule, principal }, null, isFresh)).toEqual({
      outcome: 'accepted',
      code: null,
      route: 'Users.find',
      keyId: null,
      orgCode: 'org_a',
      userId: 'kp_1',
      cached: null,
      principal: { kind: 'session', id: 'u1' },
      required,
      source: null,
      latencyMs: null,
    });
  });

  it('says nothing about a key that an earlier guard met, if the caller is another principal', () => {
    const principal = { kind: 'session', id: 'u1', scopes: [], orgCode: null, userId: null };
    const state = { ...unknown, rule, principal, wasCached: true, source: 'memory' } as const;
    expect(decisionOf(state, null, isFresh)).toMatchObject({ cached: null, source: null });
  });

  it('writes null for what is not known', () => {
    const refused = { ...noIds, outcome: 'refused', cached: null, source: null, latencyMs: null };
    const code = 'UNSUPPORTED_CONTEXT';
    expect(decisionOf(null, code, isFresh)).toEqual({ ...refused, code, route: null, required: null });
    expect(decisionOf({ ...unknown, rule }, 'MISSING_KEY', isFresh)).toEqual({
      ...refused,
      code: 'MISSING_KEY',
      route: 'Users.find',
      required,
    });
  });

  it.each([
    ['memory', true, 'stale'],
    ['memory', false, 'memory'],
    ['kinde', true, 'kinde'],
  ] as const)('with the source %s and stale: %s, has the source %s', (source, isStale, expected) => {
    const state = { ...unknown, rule, apiKey: verifiedKey(), source };
    expect(decisionOf(state, null, () => isStale).source).toBe(expected);
  });

  it('measures from when the guard began', () => {
    const { latencyMs } = decisionOf({ ...unknown, rule, startedAtMs: performance.now() - 1_000 }, null, isFresh);
    expect(latencyMs).toBeGreaterThanOrEqual(1_000);
    expect(latencyMs).toBeLessThan(60_000);
  });

  it('is frozen, because several listeners get one object', () => {
    const decision = decisionOf({ ...unknown, rule, apiKey: verifiedKey() }, null, isFresh);
    expect([decision, decision.principal].every(Object.isFrozen)).toBe(true);
  });
});
