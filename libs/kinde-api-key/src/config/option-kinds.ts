/** Where problems are collected, and the environment that stands in for absent options. */
export interface Reading {
  readonly problems: string[];
  readonly env: NodeJS.ProcessEnv;
}

/** One option: the values that an app may give (`Given`), and the value that the library uses (`Used`). */
export interface OptionKind<Given, Used = Given> {
  /** Completes the sentence "the option must be". */
  readonly takes: string;
  readonly unit?: 'ms';
  /** Environment variable that is read when the option is absent. */
  readonly env?: string;
  readonly default?: Given;
  /** Makes an absent option a problem, and says what to do. */
  readonly missing?: string;
  /** The options inside this one. */
  readonly fields?: OptionTable;
  /** Returns the value to use. A problem starts with the name, e.g. `cache.ttlMs`, and never contains the value, which may be a secret. */
  read(given: unknown, name: string, reading: Reading): Used;
}

/** Options by name. Editors show the docstring of an entry where an app sets the option. */
export type OptionTable = Readonly<Record<string, OptionKind<unknown, unknown>>>;

type GivenFor<Kind> = Kind extends OptionKind<infer Given, unknown> ? Given : never;

/**
 * The options of a table that an app may leave out. An interface extends it without `&`: only then does the compiler reject e.g.
 * `cache: true`. It maps over a parameter, so that the docstrings of the table reach the app's editor.
 */
export type OptionalIn<Table, Names extends keyof Table = keyof Table> = {
  readonly [Name in Names]?: GivenFor<Table[Name]>;
};

/** The options of a table that an app must give. */
export type RequiredIn<Table, Names extends keyof Table = keyof Table> = {
  readonly [Name in Names]: GivenFor<Table[Name]>;
};

/** The object that the library uses, with every default filled in. */
export type UsedBy<Table extends OptionTable> = { readonly [Name in keyof Table]: ReturnType<Table[Name]['read']> };

/** @returns whether a value is an object with named fields */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads every option of a table. A field that is neither in it nor `alsoKnown` is a problem: a typo must not turn a limit off. */
export function readTable<Table extends OptionTable>(
  table: Table,
  given: Readonly<Record<string, unknown>>,
  reading: Reading,
  nameOf = (field: string): string => field,
  alsoKnown: readonly string[] = [],
): UsedBy<Table> {
  const known = [...Object.keys(table), ...alsoKnown];
  for (const field of Object.keys(given).filter((name) => !known.includes(name)))
    reading.problems.push(`${nameOf(field)} is not an option; known here: ${known.join(', ')}`);
  const used = Object.entries(table).map(([field, kind]) => [field, kind.read(given[field], nameOf(field), reading)]);
  return Object.fromEntries(used) as UsedBy<Table>;
}

/**
 * Checks the argument of a public function or decorator, e.g. `@RateLimit`. The cure ends the message.
 *
 * @throws {TypeError} with every problem, each naming the function and the option
 */
export function readArgument<Table extends OptionTable>(table: Table, given: unknown, caller: string, cure = '') {
  if (!isRecord(given)) throw new TypeError(`${caller}() needs an object${cure}`);
  const problems: string[] = [];
  const used = readTable(table, given, { problems, env: {} }, (field) => `${caller}({ ${field} })`);
  if (problems.length > 0) throw new TypeError(problems.join('; ') + cure);
  return used;
}

interface Check<Given, Absent> extends Omit<OptionKind<Given>, 'read'> {
  readonly accepts: (given: unknown) => boolean;
  /** Turns an accepted value into the one that is used. Default: the value itself. */
  readonly use?: (given: Given) => Given;
  /** Says what is wrong with a value that is accepted otherwise. Completes a sentence that starts with the name of the option. */
  readonly flawOf?: (given: Given) => string | undefined;
  /** Stands for an absent option, and for a wrong one until all problems are reported. */
  readonly absent: Absent;
}

/** Makes a kind of option from a check. */
export function option<Given, Absent = Given>(check: Check<Given, Absent>): OptionKind<Given, Given | Absent> {
  const { accepts, use = (given) => given, flawOf, absent, ...kind } = check;
  return {
    ...kind,
    read(given, name, { problems, env }) {
      const fromEnv = kind.env === undefined ? undefined : env[kind.env];
      const value = given === undefined && fromEnv?.trim() ? fromEnv : given;
      if (value !== undefined && accepts(value)) {
        const flaw = flawOf?.(value as Given);
        if (flaw) problems.push(`${name} ${flaw}`);
        return use(value as Given);
      }
      if (value !== undefined) problems.push(`${name} must be ${kind.takes}`);
      else if (kind.missing) problems.push(`${name} is missing: ${kind.missing}`);
      return absent;
    },
  };
}

interface IntegerRange {
  readonly min: number;
  readonly max: number;
  readonly unit?: 'ms';
}

/** @returns whether a value is a whole number within a range, both ends included */
export function isIntegerIn({ min, max }: IntegerRange, value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

/** A whole number. Without a default it is required. */
export function integer({ default: fallback, ...range }: IntegerRange & { readonly default?: number }) {
  const takes = `a whole number from ${range.min} to ${range.max}`;
  const whenAbsent =
    fallback === undefined ? { absent: range.min, missing: takes } : { absent: fallback, default: fallback };
  return option<number>({ ...range, ...whenAbsent, takes, accepts: (given) => isIntegerIn(range, given) });
}

/** The check of a text. Surrounding blanks are removed. */
export const TEXT = {
  takes: 'a text that is not empty',
  accepts: (given: unknown): boolean => typeof given === 'string' && given.trim() !== '',
  use: (given: string): string => given.trim(),
};

const WRAPPED = /^\s|\s$|^(["']).*\1$/s;

/** The check of a client id or a secret. It is not repaired in silence: elsewhere it would be used as it is, and fail. */
export const CREDENTIAL = {
  takes: TEXT.takes,
  accepts: TEXT.accepts,
  flawOf: (given: string): string | undefined =>
    WRAPPED.test(given)
      ? 'has a blank, a line break or quotes around it: remove them. A file that was written with echo ends with a line break: use printf, or ' +
        'read it with .trim()'
      : undefined,
};

/** `true` or `false`, and nothing that converts to them. */
export function flag(fallback: boolean): OptionKind<boolean> {
  const accepts = (given: unknown): boolean => typeof given === 'boolean';
  return option({ takes: 'true or false', accepts, default: fallback, absent: fallback });
}

/** One of two words; the first is the default. */
export function choice<Word extends string>(first: Word, second: Word): OptionKind<Word> {
  const accepts = (given: unknown): boolean => given === first || given === second;
  return option({ takes: `'${first}' or '${second}'`, accepts, default: first, absent: first });
}

/** An object that is used as it is. */
export function object<T extends object>(): OptionKind<T, T | null> {
  return option<T, null>({ takes: 'an object', accepts: isRecord, absent: null });
}

/** An object with options of its own. Absent, it has every default. `Given` is the interface that extends the types of the table. */
export function section<Given, Table extends OptionTable>(
  fields: Table,
  takes = 'an object',
): OptionKind<Given, UsedBy<Table>> {
  return {
    takes,
    fields,
    read(given = {}, name, reading) {
      if (isRecord(given)) return readTable(fields, given, reading, (field) => `${name}.${field}`);
      reading.problems.push(`${name} must be ${takes}`);
      return readTable(fields, {}, { ...reading, problems: [] });
    },
  };
}

/** A section that one value turns off: `false`, or `undefined` where an absent section does not apply. It becomes `null`. */
export function offBy<Off extends false | undefined, Given, Used>(
  off: Off,
  kind: OptionKind<Given, Used>,
): OptionKind<Given | (Off & false), Used | null> {
  return { ...kind, read: (given, name, reading) => (given === off ? null : kind.read(given, name, reading)) };
}
