import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import {
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type BatchObservableResult,
  type Tracer,
} from '@opentelemetry/api';
import type { ApiKeyDecision } from '../api-key/decision.js';
import { KINDE_API_KEY_REGISTRATION, type Registration } from '../guard/registration.js';
import { KINDE_CONNECTION, type KindeConnection } from '../kinde/kinde-connection.js';
import type { KindeCall } from '../kinde/observed-http.js';
import { createInstruments, type Instruments } from './instruments.js';

const SCOPE = 'nestjs-kinde-api-key';
const STATUSES = ['up', 'degraded', 'down'] as const;
/** Maximum number of kinds of principals that have a value of their own: a source of the app may answer with any text. */
const MAX_KINDS = 10;
const OTHER_KIND = '_OTHER';
const UNSUCCESSFUL: readonly KindeCall['outcome'][] = ['throttled', 'failed', 'timeout'];

/** The registrations that are recorded, by what reports their decisions: one that is listed in two modules must not count twice. */
const recorded = new WeakSet<object>();

/**
 * Records metrics and spans with the global providers of `@opentelemetry/api`. List it in the providers of the module that imports
 * `KindeApiKeyModule`, and register the OpenTelemetry SDK before the app is created.
 *
 * No attribute holds a key, a key id, an organization or a user: the number of time series does not grow with the number of keys.
 */
@Injectable()
export class KindeApiKeyTelemetry implements OnModuleInit, OnApplicationShutdown {
  readonly #registration: Registration;
  readonly #connection: KindeConnection;
  readonly #kinds = new Set(['api_key', 'access_token']);
  readonly #kinde: Attributes;
  #stops: (() => void)[] = [];

  /** @internal */
  constructor(
    @Inject(KINDE_API_KEY_REGISTRATION) registration: Registration,
    @Inject(KINDE_CONNECTION) connection: KindeConnection,
  ) {
    this.#registration = registration;
    this.#connection = connection;
    const { hostname, port } = new URL(connection.origin);
    this.#kinde = { 'server.address': hostname, ...(port && { 'server.port': Number(port) }) };
  }

  /** Starts to record, once per registration. */
  onModuleInit(): void {
    const { decisions } = this.#registration;
    if (recorded.has(decisions)) return;
    recorded.add(decisions);
    const meter = metrics.getMeter(SCOPE);
    const tracer = trace.getTracer(SCOPE);
    const instruments = createInstruments(meter);
    const { status, circuitOpen, sharedStoreUp, cacheKeys, oldestAcceptedAge } = instruments;
    const observables = [status, circuitOpen, sharedStoreUp, cacheKeys, oldestAcceptedAge];
    const observe = (result: BatchObservableResult): void => this.#observe(result, instruments);
    meter.addBatchObservableCallback(observe, observables);
    this.#stops = [
      () => recorded.delete(decisions),
      () => meter.removeBatchObservableCallback(observe, observables),
      decisions.listeners.add((decision) => this.#decided(decision, instruments)),
      this.#connection.calls?.add((call) => this.#called(call, instruments, tracer)) ?? (() => undefined),
    ];
  }

  /** Stops recording. Idempotent. */
  onApplicationShutdown(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  #decided({ outcome, code, route, principal, source, latencyMs }: ApiKeyDecision, instruments: Instruments): void {
    instruments.decisions.add(1, {
      outcome,
      ...(code !== null && { code }),
      ...(route !== null && { route }),
      ...(principal && { 'principal.kind': this.#boundedKind(principal.kind) }),
    });
    if (source === 'stale') instruments.staleServed.add(1);
    if (source !== null && latencyMs !== null) instruments.verificationDuration.record(latencyMs / 1_000, { source });
  }

  #called(call: KindeCall, { upstreamDuration, mints }: Instruments, tracer: Tracer): void {
    const { operation, outcome, statusCode, startedAtMs, durationMs } = call;
    const attributes = { ...this.#kinde, operation, outcome };
    upstreamDuration.record(durationMs / 1_000, attributes);
    if (operation === 'mint' && outcome === 'ok') mints.add(1, this.#kinde);
    const span = tracer.startSpan(`kinde ${operation}`, {
      kind: SpanKind.CLIENT,
      startTime: startedAtMs,
      attributes: { ...attributes, ...(statusCode !== null && { 'http.response.status_code': statusCode }) },
    });
    if (UNSUCCESSFUL.includes(outcome)) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(startedAtMs + durationMs);
  }

  #observe(result: BatchObservableResult, instruments: Instruments): void {
    const now = this.#registration.verification.status?.();
    if (!now) return;
    for (const status of STATUSES)
      result.observe(instruments.status, now.status === status ? 1 : 0, { ...this.#kinde, status });
    result.observe(instruments.circuitOpen, now.circuit === 'open' ? 1 : 0, this.#kinde);
    result.observe(instruments.cacheKeys, now.cachedKeys, this.#kinde);
    if (now.sharedStore) result.observe(instruments.sharedStoreUp, now.sharedStore === 'up' ? 1 : 0, this.#kinde);
    if (now.oldestAcceptedAgeMs !== null)
      result.observe(instruments.oldestAcceptedAge, now.oldestAcceptedAgeMs / 1_000, this.#kinde);
  }

  #boundedKind(kind: string): string {
    if (this.#kinds.has(kind)) return kind;
    if (this.#kinds.size >= MAX_KINDS) return OTHER_KIND;
    this.#kinds.add(kind);
    return kind;
  }
}
