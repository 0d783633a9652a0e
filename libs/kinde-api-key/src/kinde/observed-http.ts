import { Listeners } from '../listeners.js';
import type { KindeHttp, KindeRequest, KindeResponse } from './http.js';
import { VerificationFailure } from './verification-failure.js';

/** A call to Kinde that has ended, without its content. */
export interface KindeCall {
  readonly operation: 'verify' | 'mint' | 'exchange' | 'jwks' | 'management';
  /** `ok`: 2xx. `refused`: any 4xx but 429, which is `throttled`. `timeout`: our deadline ended it. `aborted`: the app ended it. */
  readonly outcome: 'ok' | 'refused' | 'throttled' | 'failed' | 'timeout' | 'aborted';
  /** `null` without an answer. */
  readonly statusCode: number | null;
  /** Milliseconds since the Unix epoch. */
  readonly startedAtMs: number;
  readonly durationMs: number;
}

/** Tells listeners about every call to Kinde. Costs nothing without one. */
class ObservedHttp implements KindeHttp {
  constructor(
    private readonly http: KindeHttp,
    private readonly calls: Listeners<KindeCall>,
  ) {}

  send(request: KindeRequest, signal: AbortSignal): Promise<KindeResponse> {
    return this.calls.isHeard ? this.#observe(request, signal) : this.http.send(request, signal);
  }

  close(): void {
    this.http.close();
  }

  async #observe(request: KindeRequest, signal: AbortSignal): Promise<KindeResponse> {
    const startedAtMs = Date.now();
    const startedMs = performance.now();
    const ended = (outcome: KindeCall['outcome'], statusCode: number | null): void =>
      this.calls.notify({
        operation: operationOf(request),
        outcome,
        statusCode,
        startedAtMs,
        durationMs: performance.now() - startedMs,
      });
    try {
      const response = await this.http.send(request, signal);
      ended(outcomeOf(response.status), response.status);
      return response;
    } catch (error) {
      ended(signal.aborted ? outcomeOfAbort(signal.reason) : 'failed', null);
      throw error;
    }
  }
}

/** Returns an HTTP that tells the listeners `calls` about each call. */
export function observed(http: KindeHttp): { readonly http: KindeHttp; readonly calls: Listeners<KindeCall> } {
  const calls = new Listeners<KindeCall>();
  return { http: new ObservedHttp(http, calls), calls };
}

/** By the path. A key of the exchange stands in a header, where a mint has none. */
function operationOf({ url, headers }: KindeRequest): KindeCall['operation'] {
  const { pathname } = new URL(url);
  if (pathname === '/oauth2/token') return headers.authorization === undefined ? 'mint' : 'exchange';
  if (pathname === '/api/v1/api_keys/verify') return 'verify';
  return pathname.startsWith('/.well-known/') ? 'jwks' : 'management';
}

function outcomeOf(status: number): KindeCall['outcome'] {
  if (status >= 200 && status < 300) return 'ok';
  if (status === 429) return 'throttled';
  return status >= 400 && status < 500 ? 'refused' : 'failed';
}

function outcomeOfAbort(reason: unknown): KindeCall['outcome'] {
  return reason instanceof VerificationFailure && reason.kind === 'closed' ? 'aborted' : 'timeout';
}
