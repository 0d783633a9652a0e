/** What has been asked of the emulator since it was started or its counters were reset. Faulty answers count as well. */
export interface EmulatorCounters {
  /** All requests, to whatever path. */
  requests: number;
  /** Calls to the token endpoint, whatever the outcome. */
  tokenRequests: number;
  /** M2M tokens that the token endpoint issued: what Kinde bills. */
  mints: number;
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

/** Live counters: the object stays the same, its numbers grow. */
export type KindeEmulatorCounters = Readonly<EmulatorCounters>;

/** Counters at zero. */
export function newCounters(): EmulatorCounters {
  return { requests: 0, tokenRequests: 0, mints: 0, verifies: 0, reads: 0, lists: 0, changes: 0, apiReads: 0 };
}
