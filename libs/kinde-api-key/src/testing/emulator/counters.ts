/** Requests since the start or the last reset. A request counts when it arrives, also if it meets a fault. */
export interface EmulatorCounters {
  /** All requests, to any path. */
  requests: number;
  /** Calls to the token endpoint, successful or not. */
  tokenRequests: number;
  /** M2M tokens issued by the token endpoint. Kinde bills these. */
  mints: number;
  /** Access tokens issued in exchange for API keys. */
  exchanges: number;
  /** Reads of the public keys of tokens (`/.well-known/jwks`). */
  jwksReads: number;
  /** Calls to verify. */
  verifies: number;
  /** Reads of one API key (`GET /api/v1/api_keys/{id}`). */
  reads: number;
  /** Reads of the list of API keys. */
  lists: number;
  /** Calls that create, rotate or revoke an API key. */
  changes: number;
  /** Reads of the registered APIs and their scopes. */
  apiReads: number;
}

/** Live counters: one object whose numbers grow. */
export type KindeEmulatorCounters = Readonly<EmulatorCounters>;

/** Returns counters at zero. */
export function newCounters(): EmulatorCounters {
  return {
    requests: 0,
    tokenRequests: 0,
    mints: 0,
    exchanges: 0,
    jwksReads: 0,
    verifies: 0,
    reads: 0,
    lists: 0,
    changes: 0,
    apiReads: 0,
  };
}
