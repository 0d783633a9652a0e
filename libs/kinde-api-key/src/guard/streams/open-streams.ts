import type { RawKey } from '../../api-key/raw-key.js';
import type { Verdict } from '../../api-key/verdict.js';
import type { VerifiedApiKey } from '../../api-key/verified-api-key.js';
import type { Clock } from '../../clock.js';
import { ANSWER_OF_REASON } from '../../responses/answers.js';
import type { Invalidation } from '../../shared/shared-store.js';
import { TagIndex } from '../../verification/tag-index.js';
import { askKinde, isVerificationError, type KeyVerification } from '../key-verification.js';

/** How often the key of an open stream is looked at, in milliseconds. */
export const CHECK_INTERVAL_MS = 5_000;

interface OpenStream {
  readonly apiKey: VerifiedApiKey;
  readonly openedAtMs: number;
  /** Ends the stream, and with it closes it here. */
  readonly end: (code: string) => void;
}

/** The streams of one raw key. They share its checks, and the key is kept no longer than they are open. */
interface StreamsOfKey {
  readonly streams: Set<OpenStream>;
  readonly timer: NodeJS.Timeout;
}

/** The open streams of accepted keys. Each is ended when its key is invalidated, or is no longer accepted. */
export class OpenStreams {
  readonly #byTag = new TagIndex<OpenStream>();
  readonly #byDigest = new Map<string, StreamsOfKey>();
  readonly #verification: KeyVerification;
  readonly #clock: Clock;

  constructor(verification: KeyVerification, clock: Clock) {
    this.#verification = verification;
    this.#clock = clock;
    verification.onInvalidated?.add((invalidation) => this.#endInvalidated(invalidation));
  }

  /**
   * Watches a stream. Memory is bounded by the number of open streams.
   *
   * @param key the raw key that was accepted
   * @param end called at most once, with the code of the refusal; it ends the stream
   * @returns stops watching; to be called when the stream ends, however it does
   */
  open(key: RawKey, apiKey: VerifiedApiKey, end: (code: string) => void): () => void {
    const stream: OpenStream = { apiKey, openedAtMs: this.#clock.now(), end };
    const ofKey = this.#byDigest.get(key.digest) ?? this.#watch(key);
    ofKey.streams.add(stream);
    this.#byTag.add(apiKey, stream);
    return () => {
      this.#byTag.delete(apiKey, stream);
      if (!ofKey.streams.delete(stream) || ofKey.streams.size > 0) return;
      clearInterval(ofKey.timer);
      this.#byDigest.delete(key.digest);
    };
  }

  #watch(key: RawKey): StreamsOfKey {
    const streams = new Set<OpenStream>();
    const timer = setInterval(() => void this.#check(key, streams), CHECK_INTERVAL_MS).unref();
    const ofKey = { streams, timer };
    this.#byDigest.set(key.digest, ofKey);
    return ofKey;
  }

  /** Asks like the guard does: the cache, else Kinde, with one call for all that ask at the same time. */
  async #check(key: RawKey, streams: ReadonlySet<OpenStream>): Promise<void> {
    let verdict: Verdict;
    try {
      verdict = this.#verification.lookup?.(key) ?? (await askKinde(this.#verification, key, false)).verdict;
    } catch (error) {
      const code = isVerificationError(error) ? error.code : 'VERIFICATION_UNAVAILABLE';
      for (const stream of streams) endOne(stream, code);
      return;
    }
    for (const stream of streams) {
      if (!verdict.accepted) endOne(stream, ANSWER_OF_REASON[verdict.reason]);
      // An app may have written another key into the headers since the guard read them.
      else if (verdict.apiKey.keyId !== stream.apiKey.keyId) endOne(stream, 'INVALID_KEY');
    }
  }

  #endInvalidated({ tag, atMs }: Invalidation): void {
    // An old invalidation, which another instance tells about late, does not end what was accepted since.
    for (const stream of this.#byTag.of(tag)) if (stream.openedAtMs <= atMs) endOne(stream, 'KEY_REVOKED');
  }
}

function endOne({ end }: OpenStream, code: string): void {
  try {
    end(code);
  } catch {
    // What an app does when its stream ends may fail. The streams after it must end as well.
  }
}
