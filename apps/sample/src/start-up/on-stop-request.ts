/**
 * Calls `stop` once: on Ctrl-C, on SIGTERM, or when the npm that started this process is gone. The process then ends by itself,
 * because nothing is left that could keep it.
 */
export function onStopRequest(stop: () => Promise<void>): void {
  let stopping: Promise<void> | undefined;
  const stopOnce = (): void => void (stopping ??= stop());

  // under npm, Ctrl-C arrives twice: from the terminal, and from npm
  process.on('SIGINT', stopOnce).on('SIGTERM', stopOnce);

  // a signal that is sent to npm alone ends the shell between npm and us, and may never reach us: we would hold the port for ever
  if (process.env.npm_lifecycle_event !== undefined) {
    const shell = process.ppid;
    setInterval(() => process.ppid === shell || stopOnce(), 250).unref();
  }
}
