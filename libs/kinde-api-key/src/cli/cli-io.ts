import { once } from 'node:events';

/** The parts of the process that a command uses. Specs replace them. */
export interface CliIo {
  /** Writes to standard output, unchanged. */
  out(text: string): void;
  /** Writes to standard error, unchanged. */
  err(text: string): void;
  /** Resolves on SIGINT or SIGTERM. */
  untilAskedToStop(): Promise<void>;
}

/** The real process. */
export const processIo: CliIo = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  async untilAskedToStop() {
    const listening = new AbortController();
    await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal, { signal: listening.signal })));
    // A second signal then ends the process at once.
    listening.abort();
  },
};
