/** Functions that are called for every event of one registration, for example by `./opentelemetry`. */
export class Listeners<T> {
  /** Whether there is a listener. A field, so that an event without one costs a comparison. */
  isHeard = false;
  readonly #listeners = new Set<(event: T) => void>();

  /**
   * @param listener what it throws is ignored: a request must not fail because it is watched
   * @returns removes the listener
   */
  add(listener: (event: T) => void): () => void {
    this.#listeners.add(listener);
    this.isHeard = true;
    return () => {
      this.#listeners.delete(listener);
      this.isHeard = this.#listeners.size > 0;
    };
  }

  notify(event: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        // The processors of the app's telemetry may throw.
      }
    }
  }
}
