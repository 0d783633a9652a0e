import type { ApiKeyDecision, ApiKeyRefusalCode } from '../api-key/decision.js';

/** One line per interval and code is written about requests without a known caller. */
const DEFAULT_INTERVAL_MS = 60_000;

/** A decision about a known caller, with its time. */
export interface ApiKeyDecisionEntry extends ApiKeyDecision {
  readonly event: 'api_key_decision';
  /** E.g. `2026-11-30T12:00:00.000Z`. */
  readonly time: string;
}

/** The requests that were refused with one code during an interval, and whose caller is not known. */
export interface AnonymousRefusalsEntry {
  readonly event: 'api_key_anonymous_refusals';
  readonly code: ApiKeyRefusalCode | null;
  readonly count: number;
  /** Time of the first. */
  readonly from: string;
  /** Time of the last. */
  readonly to: string;
}

/** What {@link auditLog} writes. Contains no secret. */
export type ApiKeyAuditEntry = ApiKeyDecisionEntry | AnonymousRefusalsEntry;

/** Options of {@link auditLog}. */
export interface ApiKeyAuditLogOptions {
  /** Writes an entry, for example `(entry) => logger.info(entry)`. */
  readonly log: (entry: ApiKeyAuditEntry) => unknown;
  /** Time over which refusals without a known caller are counted, in milliseconds, at least 1. Default 60,000. */
  readonly intervalMs?: number;
}

/** A listener for `onDecision`. */
export interface ApiKeyAuditLog {
  (decision: ApiKeyDecision): unknown;
  /** Writes what was counted so far. Called when the app shuts down if the listener itself is the option `onDecision`. */
  flush(): void;
}

/** Every listener that {@link auditLog} made. */
const auditLogs = new WeakSet<object>();

/** @internal Writes what an audit log has counted, and stops its timer. Ignores other listeners. */
export function flushAuditLog(listener: object | null): void {
  if (listener && auditLogs.has(listener)) (listener as ApiKeyAuditLog).flush();
}

interface Counted {
  count: number;
  readonly fromMs: number;
  toMs: number;
}

/**
 * Returns a listener for `onDecision` that writes one entry for each decision about a known caller. Refusals without a known caller are
 * counted by code and written once per interval, so that a flood of bad keys makes a few lines a minute.
 *
 * @throws {TypeError} if `log` is not a function or `intervalMs` is not a number of at least 1
 */
export function auditLog({ log, intervalMs = DEFAULT_INTERVAL_MS }: ApiKeyAuditLogOptions): ApiKeyAuditLog {
  if (typeof log !== 'function') throw new TypeError('auditLog() needs log, a function that writes an entry');
  if (!(intervalMs >= 1 && intervalMs <= 86_400_000))
    throw new TypeError('auditLog() takes intervalMs in milliseconds, from 1 to 86,400,000');
  /** At most one count for each code. */
  const counts = new Map<ApiKeyRefusalCode | null, Counted>();
  let timer: NodeJS.Timeout | undefined;

  const writeCounts = (): void => {
    clearTimeout(timer);
    timer = undefined;
    for (const [code, counted] of counts) {
      const [from, to] = [timeOf(counted.fromMs), timeOf(counted.toMs)];
      counts.delete(code);
      // Here no request waits for the result, and an error would end the process.
      quietly(() => log({ event: 'api_key_anonymous_refusals', code, count: counted.count, from, to }));
    }
  };

  const listen = (decision: ApiKeyDecision): unknown => {
    const nowMs = Date.now();
    if (decision.principal) return log({ event: 'api_key_decision', time: timeOf(nowMs), ...decision });
    const counted = counts.get(decision.code);
    if (counted) Object.assign(counted, { count: counted.count + 1, toMs: nowMs });
    else counts.set(decision.code, { count: 1, fromMs: nowMs, toMs: nowMs });
    timer ??= setTimeout(writeCounts, intervalMs).unref();
    return undefined;
  };

  const made = Object.assign(listen, { flush: writeCounts });
  auditLogs.add(made);
  return made;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

function quietly(write: () => unknown): void {
  const ignore = (): void => undefined;
  try {
    Promise.resolve(write()).catch(ignore);
  } catch {
    // The log of the app failed. Decisions about known callers fail with it, which the guard reports.
  }
}
