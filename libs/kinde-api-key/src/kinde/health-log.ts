import { Wait, type Clock } from '../clock.js';
import type { KindeApiKeyMisconfiguredError } from '../kinde-api-key.errors.js';
import { LogThrottle, type Log } from '../log.js';
import type { VerificationFailure } from './verification-failure.js';

const ONCE_PER_MS = 60_000;
/** An outage that comes and goes with every other call is logged at most once in this time, in milliseconds. */
const OUTAGE_ONCE_PER_MS = 10_000;
/** A failure says nothing about Kinde any more after this time, in milliseconds. Longer than the longest pause of the circuit breaker. */
const KNOWN_FOR_MS = 60_000;

/** Why Kinde does not verify keys. */
export type KindeProblem = 'kinde_unavailable' | 'kinde_throttled' | 'circuit_open' | 'misconfigured';

/** What is known about Kinde without a call. */
export interface KindeHealth {
  /** Why the last verification brought no answer, and whether calls are held back. Empty: nothing is wrong. */
  readonly problems: readonly KindeProblem[];
  /** Whether Kinde failed less than a minute ago. After that, the failure may be over, and only a request shows it. */
  readonly isRecent: boolean;
}

/** What an operator can do about an outage, by the kind of its cause. */
const CURES = {
  throttled:
    'If this lasts, look for a flood of unknown keys, lower kinde.maxPerSecond, or ask Kinde for a higher limit of API calls',
  other:
    "If this lasts, check 'domain', Kinde's status, and whether this machine reaches Kinde on port 443 (behind a proxy: kinde.http.proxy)",
} as const;

/**
 * Logs problems with Kinde, never per request: an outage when it begins and when it ends, and every other cause while it lasts once.
 * Everything else is logged at most once a minute for each cause. Every message is the library's own wording, so that there are few.
 * Keeps what the last verification showed.
 */
export class HealthLog {
  readonly #messages: LogThrottle;
  readonly #outages: LogThrottle;
  readonly #known: Wait;
  #outageSinceMs: number | undefined;
  #problem: KindeProblem | undefined;
  #isDown = false;
  /** What the current outage is known to come from. */
  readonly #causes = new Set<string>();

  constructor(
    private readonly log: Log,
    private readonly clock: Clock,
  ) {
    this.#messages = new LogThrottle(clock, ONCE_PER_MS);
    this.#outages = new LogThrottle(clock, OUTAGE_ONCE_PER_MS);
    this.#known = new Wait(clock);
  }

  /** Whether the last verification ended without an answer of Kinde. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** Returns what is known about Kinde. */
  seen(isCircuitOpen: boolean): KindeHealth {
    const problems: KindeProblem[] = this.#problem ? [this.#problem] : [];
    if (isCircuitOpen) problems.push('circuit_open');
    return { problems, isRecent: isCircuitOpen || this.#known.remainingMs > 0 };
  }

  /** A verification ended without a verdict. */
  failed({ kind, message }: VerificationFailure): void {
    if (kind === 'busy') {
      const effect = `Some requests got 503: ${message}`;
      this.#once('warn', `${effect}. Look for a flood of new keys, or raise these limits`);
    }
    if (kind === 'unusable') {
      const effect = `A key could not be verified: ${message}. Its requests get 503`;
      this.#once(
        'warn',
        `${effect}. If this concerns all keys, check 'domain' and what is between this service and Kinde`,
      );
    }
    if (kind === 'stalled') {
      const effect = `Some requests got 503: ${message}`;
      this.#once('warn', `${effect}. Look for code that blocks the event loop`);
    }
    if (kind !== 'kinde' && kind !== 'deadline' && kind !== 'throttled') return;
    if (kind !== 'throttled') this.#isDown = true;
    this.#note(kind === 'throttled' ? 'kinde_throttled' : 'kinde_unavailable');
    this.#outage(kind, message);
  }

  /** Kinde gave a usable answer. */
  answered(): void {
    this.#isDown = false;
    this.#problem = undefined;
    if (this.#outageSinceMs === undefined) return;
    const seconds = Math.max(0, Math.round((this.clock.now() - this.#outageSinceMs) / 1_000));
    this.#outageSinceMs = undefined;
    this.#causes.clear();
    this.#write('warn', `Kinde verifies API keys again, after ${seconds} s`);
  }

  /** The M2M application has to be fixed in Kinde. */
  misconfigured({ message }: KindeApiKeyMisconfiguredError): void {
    this.#note('misconfigured');
    this.#once('error', `${message}. Until then keys that are not cached get 503`);
  }

  /** Kinde calls a key valid, with a status that the library does not know. */
  unknownStatus(): void {
    const problem = 'Kinde sent a status of a valid key that is unknown to this version of the library';
    this.#once('warn', `${problem}. The key is refused as inactive. Look for a newer version`);
  }

  /** A key is valid, and belongs to another API than the option `apiId` names. It is refused like an unknown key. */
  otherApi(): void {
    const problem = "Kinde calls a key valid that belongs to another API than 'apiId', and its requests get 401";
    const cure = 'compare KINDE_API_ID with the id in Kinde > Settings > APIs > (the API) > Details';
    this.#once('warn', `${problem}. If this concerns all keys, ${cure}`);
  }

  /** The M2M token could not be renewed ahead of its end. */
  renewalFailed({ message }: Error): void {
    const problem = `The M2M token could not be renewed ahead of time: ${message}`;
    this.#once('warn', `${problem}. The current token stays in use until it expires`);
  }

  /** A bug in the library. The error's message may contain anything, so only its class is logged. */
  unexpected(error: unknown): void {
    const name = error instanceof Error ? error.constructor.name : typeof error;
    const problem = `A verification failed unexpectedly (${name}), and its request got 503`;
    this.#once('error', `${problem}. Please report this bug of nestjs-kinde-api-key`);
  }

  /** Two outages that differ in their cause need different cures: the second is logged while the first lasts. */
  #outage(kind: 'kinde' | 'deadline' | 'throttled', cause: string): void {
    if (this.#causes.has(cause) || !this.#outages.isDue(cause)) return;
    this.#causes.add(cause);
    this.#outageSinceMs ??= this.clock.now();
    const problem = `Kinde cannot verify API keys: ${cause}. Keys that are not cached get 503 until it can`;
    this.#write('warn', `${problem}. ${kind === 'throttled' ? CURES.throttled : CURES.other}`);
  }

  #note(problem: KindeProblem): void {
    this.#problem = problem;
    this.#known.start(KNOWN_FOR_MS);
  }

  #once(level: 'warn' | 'error', message: string): void {
    if (this.#messages.isDue(message)) this.#write(level, message);
  }

  #write(level: 'warn' | 'error', message: string): void {
    try {
      this.log[level](message);
    } catch {
      // A log that fails must not decide the answer to a request.
    }
  }
}
