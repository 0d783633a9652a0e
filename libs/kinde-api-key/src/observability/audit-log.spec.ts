import type { ApiKeyDecision, ApiKeyRefusalCode } from '../api-key/decision.js';
import { auditLog, type ApiKeyAuditEntry } from './audit-log.js';

const ACCEPTED: ApiKeyDecision = {
  outcome: 'accepted',
  code: null,
  route: 'Users.find',
  keyId: 'api_key_1',
  orgCode: 'org_a',
  userId: null,
  cached: true,
  principal: { kind: 'api_key', id: 'api_key_1' },
  required: null,
  source: 'memory',
  latencyMs: 0.1,
};

function anonymous(code: ApiKeyRefusalCode): ApiKeyDecision {
  return { ...ACCEPTED, outcome: 'refused', code, keyId: null, orgCode: null, principal: null };
}

describe('auditLog()', () => {
  let entries: ApiKeyAuditEntry[];
  const log = (entry: ApiKeyAuditEntry): void => void entries.push(entry);
  beforeEach(() => {
    entries = [];
    jest.useFakeTimers({ now: Date.parse('2026-11-30T12:00:00Z') });
  });
  afterEach(() => void jest.useRealTimers());

  it('writes one entry for each decision about a known caller, accepted or refused', () => {
    const listen = auditLog({ log });
    const refused = { ...ACCEPTED, outcome: 'refused', code: 'INSUFFICIENT_SCOPE' } as const;
    for (const decision of [ACCEPTED, refused, refused]) listen(decision);
    const time = '2026-11-30T12:00:00.000Z';
    expect(entries).toEqual(
      [ACCEPTED, refused, refused].map((decision) => ({ event: 'api_key_decision', time, ...decision })),
    );
    expect(jest.getTimerCount()).toBe(0);
  });

  it('writes 10,000 refusals without a known caller as one entry per code and minute', () => {
    const listen = auditLog({ log });
    for (let count = 0; count < 10_000; count += 1) listen(anonymous(count % 2 === 0 ? 'INVALID_KEY' : 'MISSING_KEY'));
    jest.advanceTimersByTime(59_999);
    expect(entries).toEqual([]);
    listen(anonymous('INVALID_KEY'));
    jest.advanceTimersByTime(1);
    const event = 'api_key_anonymous_refusals';
    const from = '2026-11-30T12:00:00.000Z';
    expect(entries).toEqual([
      { event, code: 'INVALID_KEY', count: 5_001, from, to: '2026-11-30T12:00:59.999Z' },
      { event, code: 'MISSING_KEY', count: 5_000, from, to: from },
    ]);
  });

  it('keeps no timer while nothing is counted', () => {
    const listen = auditLog({ log, intervalMs: 10_000 });
    expect(jest.getTimerCount()).toBe(0);
    listen(anonymous('INVALID_KEY'));
    listen(anonymous('MISSING_KEY'));
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(10_000);
    expect(entries).toHaveLength(2);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('writes what was counted when it is flushed, once, and stops its timer', () => {
    const listen = auditLog({ log });
    listen(anonymous('KEY_REVOKED'));
    listen.flush();
    listen.flush();
    expect(entries).toMatchObject([{ code: 'KEY_REVOKED', count: 1 }]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not keep the process alive', () => {
    jest.useRealTimers();
    const set = jest.spyOn(globalThis, 'setTimeout');
    const listen = auditLog({ log });
    listen(anonymous('INVALID_KEY'));
    const timer = set.mock.results[0]?.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    listen.flush();
    set.mockRestore();
  });

  it('hands the result of the log to the guard, which logs a rejection', async () => {
    const listen = auditLog({ log: () => Promise.reject(new Error('disk full')) });
    await expect(listen(ACCEPTED)).rejects.toThrow('disk full');
  });

  it.each([
    ['throws', () => { throw new Error('disk full'); }], // prettier-ignore
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('is not ended by a log that %s in the background', async (_how, failing: () => unknown) => {
    const listen = auditLog({ log: failing });
    listen(anonymous('INVALID_KEY'));
    expect(() => jest.advanceTimersByTime(60_000)).not.toThrow();
    await Promise.resolve();
    listen(anonymous('INVALID_KEY'));
    expect(jest.getTimerCount()).toBe(1);
    listen.flush();
  });

  it.each([
    [{}, /needs log/],
    [{ log, intervalMs: 0 }, /intervalMs/],
    [{ log, intervalMs: NaN }, /intervalMs/],
    [{ log, intervalMs: 2 ** 31 }, /intervalMs/], // a timer of Node would fire at once
  ])('refuses %p', (options, message) => {
    expect(() => auditLog(options as Parameters<typeof auditLog>[0])).toThrow(message);
  });
});
