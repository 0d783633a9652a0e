import { once } from 'node:events';

/** The parts of the process that a command uses. Specs replace them. */
export interface CliIo {
  /** Writes to standard output, unchanged. */
  out(text: string): void;
  /** Writes to standard error, unchanged. */
  err(text: string): void;
  /** Resolves on SIGINT or SIGTERM. */
  untilAskedToStop(): Promise<void>;
  readonly env: NodeJS.ProcessEnv;
  /** Whether standard output is a terminal that shows colors. */
  readonly hasColors: boolean;
  /** Reads standard input to its end. At a terminal it asks for it. Default: for a key. */
  readInput(wanted?: WantedInput): Promise<string>;
  /** Shows on a terminal that something is under way. Returns what ends it; may be called again. */
  showProgress(what: string): () => void;
}

/** What a command reads from standard input. */
export interface WantedInput {
  readonly what: string;
  readonly maxCharacters: number;
}

/** More than any key has. */
const KEY: WantedInput = { what: 'key', maxCharacters: 65_536 };
const FRAMES = ['-', '\\', '|', '/'];
const FRAME_MS = 120;

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
  env: process.env,
  get hasColors() {
    return process.stdout.isTTY && process.stdout.hasColors();
  },
  async readInput({ what, maxCharacters } = KEY) {
    if (process.stdin.isTTY) process.stderr.write(`Paste the ${what}, press Enter, then Ctrl+D: `);
    let text = '';
    for await (const chunk of process.stdin.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length > maxCharacters) throw new Error(`standard input is longer than any ${what}`);
    }
    return text;
  },
  showProgress(what) {
    if (!process.stderr.isTTY) return () => undefined;
    let frame = 0;
    const timer = setInterval(() => {
      frame += 1;
      process.stderr.write(`\r${FRAMES[frame % FRAMES.length]} ${what}`);
    }, FRAME_MS).unref();
    return () => {
      clearInterval(timer);
      if (frame > 0) process.stderr.write(`\r${' '.repeat(what.length + 2)}\r`);
      frame = 0;
    };
  },
};
