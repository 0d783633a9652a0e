import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';

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
  /** The options inside this one. */
  readonly fields?: OptionTable;
  /**
   * Checks one option. A problem never contains the value, which may be a secret.
   *
   * @param name path of the option in messages, e.g. `cache.ttlMs`
   * @returns the value to use
   */
  read(given: unknown, name: string, reading: Reading): Used;
}

/** An option that has no default. */
export interface RequiredOption<Given, Used = Given> extends OptionKind<Given, Used> {
  readonly isRequired: true;
}

/** Options by name. Editors show the docstring of an entry where an app sets the option. */
export type OptionTable = Readonly<Record<string, OptionKind<unknown, unknown>>>;

type GivenFor<Kind> = Kind extends OptionKind<infer Given, unknown> ? Given : never;
type UsedFor<Kind> = Kind extends OptionKind<unknown, infer Used> ? Used : never;
type RequiredNames<Table> = {
  [Name in keyof Table]: Table[Name] extends RequiredOption<unknown, unknown> ? Name : never;
}[keyof Table];
// Both map over a parameter that extends `keyof Table`: only then do the docstrings of the table reach the app's editor.
type MayGive<Table, Names extends keyof Table> = { readonly [Name in Names]?: GivenFor<Table[Name]> };
type MustGive<Table, Names extends keyof Table> = { readonly [Name in Names]: GivenFor<Table[Name]> };

/**
 * The options of a table that an app may leave out. The type of an object of options is an interface that extends this and
 * {@link RequiredIn}: with two bases the compiler names the interface in its messages and rejects e.g. `cache: true`.
 */
export type OptionalIn<Table> = MayGive<Table, Exclude<keyof Table, RequiredNames<Table>>>;

/** The options of a table that an app must give. */
export type RequiredIn<Table> = MustGive<Table, RequiredNames<Table>>;

/** The object that the library uses, with every default filled in. */
export type UsedBy<Table> = { readonly [Name in keyof Table]: UsedFor<Table[Name]> };

/** @returns whether a value is an object with named fields */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads every option of a table. A field that is not known is a problem: a typo must not turn a limit off.
 *
 * @param nameOf path of a field in messages
 * @param alsoKnown fields that are read elsewhere
 */
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
 * Checks the argument of a public function or decorator.
 *
 * @param caller name of the function in messages, e.g. `@RateLimit`
 * @param cure ends the message, e.g. with an example
 * @throws {TypeError} with every problem, each naming the function and the option
 */
export function readArgument<Table extends OptionTable>(
  table: Table,
  given: unknown,
  caller: string,
  cure = '',
): UsedBy<Table> {
  if (!isRecord(given)) throw new TypeError(`${caller}() needs an object${cure}`);
  const reading: Reading = { problems: [], env: {} };
  const used = readTable(table, given, reading, (field) => `${caller}({ ${field} })`);
  if (reading.problems.length > 0) throw new TypeError(reading.problems.join('; ') + cure);
  return used;
}

/** The error for wrong options of the module: it stops the boot and lists every problem. */
export function invalidOptions(problems: readonly string[]): KindeApiKeyConfigurationError {
  return new KindeApiKeyConfigurationError('KindeApiKeyModule cannot start with these options:', problems);
}
