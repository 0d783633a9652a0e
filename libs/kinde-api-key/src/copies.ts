// Counts the copies of the library that are loaded in a process.
const COPIES = Symbol.for('nestjs-kinde-api-key:copies');

interface Holder {
  [COPIES]?: Set<object>;
}

const copies = ((globalThis as Holder)[COPIES] ??= new Set());
copies.add({});

let reported = 1;

/** Returns what to know about several copies of the library in one process: once, and again after another copy was loaded. */
export function copiesWarning(): string | undefined {
  if (copies.size <= reported) return undefined;
  reported = copies.size;
  return (
    `${copies.size === 2 ? 'two' : copies.size} copies of nestjs-kinde-api-key are loaded. Rules, guards, errors and filters of one are ` +
    'understood by the others, but their classes are different ones to Nest: ApiKeyVerificationService of one copy cannot be injected where ' +
    'another copy is registered. Run `npm ls nestjs-kinde-api-key` and keep one version'
  );
}
