import type { ApiKeyStatusReason, ApiKeyVerificationStatus } from '../verification/status.js';

/** What a health check of `@nestjs/terminus` shows of the verification. */
export interface ApiKeyHealth {
  /** `down` fails the health check. A degraded verification is `up`. */
  readonly status: 'up' | 'down';
  /** Whether something fails while known keys are still accepted. */
  readonly degraded: boolean;
  readonly reasons: readonly ApiKeyStatusReason[];
  readonly oldestAcceptedAgeMs: number | null;
}

/**
 * Health of the verification, in the form of `@nestjs/terminus` 11 and 12, without a call to Kinde:
 * `health.check([() => apiKeys.isHealthy('api-keys')])`.
 */
export class ApiKeyHealthIndicator {
  readonly #verification: { status(): ApiKeyVerificationStatus };

  /** @internal */
  constructor(verification: { status(): ApiKeyVerificationStatus }) {
    this.#verification = verification;
  }

  /**
   * @param key name of the entry in the answer of the health check
   * @returns `down` if no key can be accepted. An outage of Kinde alone is `up` with `degraded: true`: otherwise it would take every instance
   * out of service, although known keys are accepted
   */
  isHealthy<Key extends string>(key: Key): Record<Key, ApiKeyHealth> {
    const { status, reasons, oldestAcceptedAgeMs } = this.#verification.status();
    const health: ApiKeyHealth = {
      status: status === 'down' ? 'down' : 'up',
      degraded: status === 'degraded',
      reasons,
      oldestAcceptedAgeMs,
    };
    return { [key]: health } as Record<Key, ApiKeyHealth>;
  }
}
