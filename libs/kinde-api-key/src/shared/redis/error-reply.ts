/** First word of an error reply: `OOM`, `READONLY`, `WRONGTYPE`. The rest is not logged, because it may repeat what was sent. */
const ERROR_REPLY = /^-?([A-Z]{2,}) /;

/** A script that runs a command which its user may not run, as Redis 6, 7.0 and 7.2 say it. */
const FORBIDDEN_IN_SCRIPT = /^-?ERR .*(-NOPERM|executing the script can't run|ACL failure in script)/;

/** Returns the first word of an error reply of Redis, or `undefined` for any other error: then Redis did not answer. */
export function errorReplyOf(error: unknown): string | undefined {
  if (error instanceof Error && FORBIDDEN_IN_SCRIPT.test(error.message)) return 'NOPERM';
  return error instanceof Error ? ERROR_REPLY.exec(error.message)?.[1] : undefined;
}

/** Calls `record` when the promise resolves, or rejects with an error reply. Passes the result on. */
export async function onAnswer<T>(answer: Promise<T>, record: () => void): Promise<T> {
  try {
    const value = await answer;
    record();
    return value;
  } catch (error) {
    if (errorReplyOf(error) !== undefined) record();
    throw error;
  }
}
