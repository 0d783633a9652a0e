/** @returns whether a value is an object with fields of its own, and no array */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads options of unknown shape one by one and collects what is wrong with them, so that every problem is reported at once.
 * A reader never puts a value into a message: it could be a secret.
 */
export class OptionsReader {
  readonly value: Readonly<Record<string, unknown>>;

  /**
   * @param input the object to read
   * @param path where it stands, for messages, e.g. `kinde.`
   * @param problems where problems go; sections share the list of their parent
   */
  constructor(
    input: unknown,
    private readonly path: string,
    readonly problems: string[] = [],
    expected = 'an object',
  ) {
    this.value = isRecord(input) ? input : {};
    if (input !== undefined && !isRecord(input))
      this.problems.push(`${path.slice(0, -1) || 'the options'} must be ${expected}`);
  }

  has(name: string): boolean {
    return this.value[name] !== undefined;
  }

  get(name: string): unknown {
    return this.value[name];
  }

  problem(name: string, text: string): void {
    this.problems.push(`${this.path}${name} ${text}`);
  }

  refuseUnknown(known: readonly string[]): void {
    for (const name of Object.keys(this.value)) {
      if (!known.includes(name)) this.problem(name, `is not an option; known here: ${known.join(', ')}`);
    }
  }

  section(name: string, expected?: string): OptionsReader {
    return new OptionsReader(this.value[name], `${this.path}${name}.`, this.problems, expected);
  }

  /** A text that must be there, in the options or the environment. */
  text(name: string, env: NodeJS.ProcessEnv, variable: string): string | undefined {
    const found = this.optionalText(name, env, variable);
    if (found === undefined && !this.has(name))
      this.problem(name, `is missing: pass it to forRoot() or set ${variable} in the environment`);
    return found;
  }

  optionalText(name: string, env: NodeJS.ProcessEnv = {}, variable = ''): string | undefined {
    const given = this.value[name];
    if (given === undefined) return env[variable]?.trim() || undefined;
    if (typeof given === 'string' && given.trim() !== '') return given.trim();
    this.problem(name, 'must be a text that is not empty');
    return undefined;
  }

  texts(name: string): readonly string[] {
    const given = this.value[name];
    if (given === undefined) return [];
    if (Array.isArray(given) && given.length > 0 && given.every((item) => typeof item === 'string' && item !== ''))
      return [...given];
    this.problem(name, 'must list at least one text, or be left out');
    return [];
  }

  flag(name: string, fallback: boolean): boolean {
    const given = this.value[name];
    if (given === undefined) return fallback;
    if (typeof given !== 'boolean') this.problem(name, 'must be true or false');
    return given === true;
  }

  integer(name: string, min: number, max: number, fallback: number): number {
    const given = this.value[name];
    if (given === undefined) return fallback;
    if (typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max) return given;
    this.problem(name, `must be a whole number from ${min} to ${max}`);
    return fallback;
  }

  /** A number that has no default. */
  requiredInteger(name: string, min: number, max: number): number {
    if (!this.has(name)) this.problem(name, `is missing: a whole number from ${min} to ${max}`);
    return this.integer(name, min, max, min);
  }

  object(name: string): void {
    const given = this.value[name];
    if (given !== undefined && !isRecord(given)) this.problem(name, 'must be an object');
  }

  functions(name: string): readonly ((...args: never[]) => unknown)[] {
    const given = this.value[name];
    if (given === undefined) return [];
    if (Array.isArray(given) && given.every((item) => typeof item === 'function')) return [...given];
    this.problem(name, 'must be a list of classes');
    return [];
  }

  optionalFunction(name: string): ((...args: never[]) => unknown) | undefined {
    const given = this.value[name];
    if (given === undefined || typeof given === 'function') return given as ((...args: never[]) => unknown) | undefined;
    this.problem(name, 'must be a function');
    return undefined;
  }
}
