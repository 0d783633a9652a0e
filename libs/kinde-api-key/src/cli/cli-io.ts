import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** The parts of the process that a command uses. Specs replace them. */
export interface CliIo {
  /** Writes to standard output, unchanged. */
  out(text: string): void;
  /** Writes to standard error, unchanged. */
  err(text: string): void;
  /** Resolves on SIGINT or SIGTERM. */
  untilAskedToStop(): Promise<void>;
  readonly env: NodeJS.ProcessEnv;
  /** Whether standard output is to have colors. */
  readonly hasColors: boolean;
  /** Reads standard input to its end. Default: a key, which a terminal is asked for in one line that it does not show. */
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
    return wantsColors(process.env, process.stdout);
  },
  async readInput({ what, maxCharacters } = KEY) {
    if (what === KEY.what && process.stdin.isTTY) return readHiddenLine();
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

/** Whether to write colors: `FORCE_COLOR` and `NO_COLOR` decide, else whether the stream is a terminal that shows them. */
export function wantsColors(
  { FORCE_COLOR: forced, NO_COLOR: refused }: NodeJS.ProcessEnv,
  stream: { readonly isTTY?: boolean; hasColors?(): boolean },
): boolean {
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return !refused && stream.isTTY === true && stream.hasColors?.() === true;
}

/** A key that is shown would stay in the scrollback of the terminal. */
function readHiddenLine(): Promise<string> {
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  // Only now does the terminal no longer show what is typed.
  process.stderr.write('Paste the key and press Enter (it is not shown): ');
  return new Promise((resolve, reject) => {
    let line = '';
    terminal.once('line', (text) => {
      line = text;
      terminal.close();
    });
    terminal.once('SIGINT', () => {
      reject(new Error('stopped'));
      terminal.close();
    });
    terminal.once('close', () => {
      process.stderr.write('\n');
      resolve(line);
    });
  });
}
