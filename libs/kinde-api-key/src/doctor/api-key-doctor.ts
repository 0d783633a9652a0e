import type { ResolvedOptions } from '../config/resolved-options.js';
import type { KeyVerifier } from '../kinde/key-verifier.js';
import type { KindeConnection } from '../kinde/kinde-connection.js';
import { Deadlines } from '../kinde/limits/deadline.js';
import { Examination, type ExaminationSetup } from './examination.js';
import { examine, examineAtBoot } from './examine.js';
import type { Finding } from './finding.js';

/** @internal Finds the doctor in an app that has loaded another copy of the library, as a CommonJS app beside the command line. */
export const API_KEY_DOCTOR = Symbol.for('nestjs-kinde-api-key:doctor');

/** What an examination may look at besides the configuration. */
export interface ExaminationOptions {
  /** A raw key: its form, state, owner, scopes and API, and which routes of the app it may call. It is sent to Kinde and not kept. */
  readonly rawKey?: string;
}

/**
 * Examines how the app and Kinde fit together: connection, credentials, token, verify call, `apiId`, scope names and, if given, one key.
 * Inject it, for example behind a route for operators.
 */
export class ApiKeyDoctor {
  // Private to the language: a log of the app's providers must not walk to the client secret.
  readonly #setup: Pick<ExaminationSetup, 'connection' | 'options' | 'mint'>;
  readonly #routes: () => ExaminationSetup['routes'];
  readonly #deadlines: Deadlines;

  /** @internal `routes` returns `null` outside an app. */
  constructor(
    connection: KindeConnection,
    { clientSecret: _secret, ...options }: ResolvedOptions['kinde'],
    verifier: Pick<KeyVerifier, 'token'>,
    routes: () => ExaminationSetup['routes'],
  ) {
    const mint = async (signal: AbortSignal) => (await verifier.token(signal)).reveal();
    this.#setup = { connection, options, mint };
    this.#routes = routes;
    this.#deadlines = new Deadlines(connection.timeoutMs);
  }

  /**
   * Makes every check. It takes at most `kinde.timeoutMs` for each of its calls, seven at most, and uses the M2M token of the registration.
   *
   * @returns the findings, in the order of the checks. A problem of Kinde is a finding and no exception
   */
  examine({ rawKey }: ExaminationOptions = {}): Promise<Finding[]> {
    return examine({ ...this.#setup, routes: this.#routes() }, rawKey);
  }

  /** @internal Makes the checks of an app's start, in `kinde.timeoutMs` altogether. Finds nothing once the app is shutting down. */
  async examineAtBoot(): Promise<Finding[]> {
    const setup = { ...this.#setup, routes: this.#routes() };
    try {
      const findings = await this.#deadlines.run(({ signal }) => examineAtBoot(new Examination({ ...setup, signal })));
      return this.#deadlines.isClosed ? [] : findings;
    } catch (error) {
      if (this.#deadlines.isClosed) return [];
      throw error;
    }
  }

  /** @internal Ends the checks of an app's start that are under way. Idempotent. */
  close(): void {
    this.#deadlines.close();
  }
}
