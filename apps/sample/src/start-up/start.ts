import { describeSample } from './describe-sample.js';
import { parseSettings, StartUpError } from './settings.js';
import { startSample } from './start-sample.js';

try {
  const sample = await startSample(parseSettings(process.env, process.argv.slice(2)));
  stopOnRequest(sample.stop);
  process.stdout.write(describeSample(sample));
} catch (error) {
  console.error(error instanceof StartUpError ? error.message : error);
  process.exitCode = 1;
}

/** Calls `stop` once: on Ctrl-C, on SIGTERM, or when the npm that started this process has ended. The process then exits by itself. */
function stopOnRequest(stop: () => Promise<void>): void {
  let stopping: Promise<void> | undefined;
  const stopOnce = (): void => void (stopping ??= stop());

  // under npm, Ctrl-C arrives twice: from the terminal, and from npm
  process.on('SIGINT', stopOnce).on('SIGTERM', stopOnce);

  // a signal to npm alone ends the shell in between and may not reach this process, which would then keep the port
  if (process.env.npm_lifecycle_event !== undefined) {
    const shell = process.ppid;
    setInterval(() => process.ppid === shell || stopOnce(), 250).unref();
  }
}
