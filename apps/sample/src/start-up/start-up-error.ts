/** The sample cannot start for a reason that the user can fix. Shown as one line, without a stack trace. */
export class StartUpError extends Error {}
