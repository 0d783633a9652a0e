/** One secret of a key, and the verify call that answered about it. A rotation gives a key another secret and keeps its id. */
export interface KeyVersion {
  readonly digest: string;
  /** When the call was sent. Ages count from then. */
  readonly sentAtMs: number;
  /** Number of the call in this process: orders calls of the same millisecond. 0 for a call of another instance. */
  readonly callNo: number;
}

/** Whether a version comes from a later verify call than another. */
export function isNewer(one: KeyVersion, other: KeyVersion): boolean {
  return one.sentAtMs > other.sentAtMs || (one.sentAtMs === other.sentAtMs && one.callNo > other.callNo);
}
