import type { KindeEmulatorEndpoint } from './faults.js';

type Listener = (endpoint: KindeEmulatorEndpoint | undefined) => void;

/** Resolves promises when a request arrives. */
export class Arrivals {
  readonly #listeners = new Set<Listener>();

  /** Resolves when the next request arrives, or the next one to `where`. */
  next(where: KindeEmulatorEndpoint | undefined): Promise<void> {
    return new Promise((resolve) => {
      const listener: Listener = (endpoint) => {
        if (where !== undefined && endpoint !== where) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  /** Reports the arrival of a request. @param endpoint `undefined` for an unknown path. */
  announce(endpoint: KindeEmulatorEndpoint | undefined): void {
    for (const listener of this.#listeners) listener(endpoint);
  }
}
