import type { Clock } from '../clock.js';
import type { Listeners } from '../listeners.js';
import type { Log } from '../log.js';
import type { KindeHttp } from './http.js';
import type { KindeCall } from './observed-http.js';

/** @internal Injection token of the {@link KindeConnection} of a registration. */
export const KINDE_CONNECTION = Symbol.for('nestjs-kinde-api-key:connection');

/** How a registration reaches Kinde without the Management API: for signing keys and the token endpoint. */
export interface KindeConnection {
  /** `https://<subdomain>.kinde.com`: the issuer of access tokens. */
  readonly origin: string;
  /** Deadline of one call in milliseconds. */
  readonly timeoutMs: number;
  readonly http: KindeHttp;
  /** Hears about every call of {@link http}. */
  readonly calls?: Listeners<KindeCall>;
  readonly clock: Clock;
  readonly log: Log;
}
