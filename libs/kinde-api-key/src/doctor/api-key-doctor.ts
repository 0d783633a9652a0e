import { RawKey } from '../api-key/raw-key.js';
import type { ResolvedOptions } from '../config/resolved-options.js';
import type { KeyVerifier } from '../kinde/key-verifier.js';
import type { KindeConnection } from '../kinde/kinde-connection.js';
import { Examination, type RouteRequirement } from './examination.js';
import { examine } from './examine.js';
import type { Finding } from './finding.js';

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
  readonly #connection: KindeConnection;
  readonly #options: Omit<ResolvedOptions['kinde'], 'clientSecret'>;
  readonly #verifier: Pick<KeyVerifier, 'token'>;
  readonly #routes: () => readonly RouteRequirement[] | null;

  /** @internal `routes` returns `null` outside an app. */
  constructor(
    connection: KindeConnection,
    { clientSecret: _secret, ...options }: ResolvedOptions['kinde'],
    verifier: Pick<KeyVerifier, 'token'>,
    routes: () => readonly RouteRequirement[] | null,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#verifier = verifier;
    this.#routes = routes;
  }

  /**
   * Makes every check. It takes at most `kinde.timeoutMs` for each of its calls, seven at most, and uses the M2M token of the registration.
   *
   * @returns the findings, in the order of the checks. A problem of Kinde is a finding and no exception
   */
  examine({ rawKey }: ExaminationOptions = {}): Promise<Finding[]> {
    const mint = async (signal: AbortSignal) => (await this.#verifier.token(signal)).reveal();
    const key = rawKey === undefined ? undefined : RawKey.parse(rawKey);
    return examine(new Examination(this.#connection, this.#options, mint, this.#routes(), key), rawKey);
  }
}
