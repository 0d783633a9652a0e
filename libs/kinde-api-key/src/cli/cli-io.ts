import { once } from 'node:events';

/** What a command needs of the process, so that it can be driven without one. */
export interface CliIo {
  /** Writes to standard output, as it is. */
  out(text: string): void;
  /** Writes to standard error, as it is. */
  err(text: string): void;
  /** Resolves when the user (SIGINT) or the system (SIGTERM) asks the command to end. */
  untilAskedToStop(): Promise<void>;
}

/** The real process. */
export const processIo: CliIo = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  async untilAskedToStop() {
    const listening = new AbortController();
    await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal, { signal: listening.signal })));
    // A second signal ends the process the usual way, should stopping take too long.
    listening.abort();
  },
};
