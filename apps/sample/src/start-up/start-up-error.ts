/** The sample cannot start, for a reason that whoever starts it can mend: shown as one line, without a stack trace. */
export class StartUpError extends Error {}
