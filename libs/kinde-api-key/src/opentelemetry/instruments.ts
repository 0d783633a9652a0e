import type { Meter, MetricOptions } from '@opentelemetry/api';

/** Upper bounds of the histograms' buckets, in seconds: from a hit in memory to the longest deadlines. */
const BUCKETS = [0.00005, 0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

function seconds(description: string): MetricOptions {
  return { description, unit: 's', advice: { explicitBucketBoundaries: BUCKETS } };
}

/** Creates the metrics. The page about observability has a row for each. */
export function createInstruments(meter: Meter) {
  return {
    decisions: meter.createCounter('kinde_api_key.decisions', {
      description: 'Requests that the guard accepted or refused',
    }),
    staleServed: meter.createCounter('kinde_api_key.stale_served', {
      description: 'Requests that were decided by an answer older than cache.ttlMs, because Kinde did not answer',
    }),
    verificationDuration: meter.createHistogram(
      'kinde_api_key.verification.duration',
      seconds('Time that the guard took for a request with a key, by where the verdict came from'),
    ),
    upstreamDuration: meter.createHistogram(
      'kinde_api_key.upstream.duration',
      seconds('Time of a call to Kinde, by what it does and how it ended'),
    ),
    mints: meter.createCounter('kinde_api_key.m2m_token.mints', {
      description: 'M2M tokens that Kinde issued; Kinde bills them',
    }),
    status: meter.createObservableGauge('kinde_api_key.status', {
      description: '1 for the current status of the verification (up, degraded, down), 0 for the others',
    }),
    circuitOpen: meter.createObservableGauge('kinde_api_key.circuit.open', {
      description: '1 while calls to Kinde are held back after repeated failures',
    }),
    sharedStoreUp: meter.createObservableGauge('kinde_api_key.shared_store.up', {
      description: '1 while the shared store answers; absent without the option shared',
    }),
    cacheKeys: meter.createObservableGauge('kinde_api_key.cache.keys', { description: 'Accepted keys in memory' }),
    oldestAcceptedAge: meter.createObservableGauge('kinde_api_key.oldest_accepted.age', {
      description: 'Age of the oldest cached answer that would be accepted if Kinde does not answer',
      unit: 's',
    }),
  };
}

/** What {@link createInstruments} makes. */
export type Instruments = ReturnType<typeof createInstruments>;
