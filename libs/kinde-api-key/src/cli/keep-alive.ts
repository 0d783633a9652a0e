/** The longest interval of Node, in milliseconds. It does nothing when it fires. */
const LONGEST_MS = 2_147_483_647;

/**
 * Keeps the process alive until work is done. The pauses between the calls of a command do not: without a server that listens, Node would end it
 * there.
 */
export async function keepAlive<T>(work: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, LONGEST_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
