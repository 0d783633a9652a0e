/** @throws {TypeError} If `value` has a property that is not among `names`; the message lists them. */
export function checkOptionNames(what: string, value: unknown, names: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`KindeEmulator: the ${what} options must be an object, with any of: ${names.join(', ')}`);
  }
  const unknown = Object.keys(value).filter((name) => !names.includes(name));
  if (unknown.length === 0) return;
  throw new TypeError(`KindeEmulator: unknown ${what} option "${unknown.join('", "')}". Valid: ${names.join(', ')}`);
}

/** @throws {TypeError} If `value` is not a string with at least one character. */
export function checkText(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(`KindeEmulator: ${name} must be a string that is not empty`);
}

/** Returns a frozen copy of `value`. @throws {TypeError} If it is not an array of strings without spaces. */
export function checkNames(name: string, value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' && /^\S+$/.test(item))) {
    return Object.freeze([...(value as string[])]);
  }
  throw new TypeError(`KindeEmulator: ${name} must be an array of strings that are not empty and have no spaces`);
}
