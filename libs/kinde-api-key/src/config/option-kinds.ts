import {
  isRecord,
  readTable,
  type OptionalIn,
  type RequiredIn,
  type OptionKind,
  type OptionTable,
  type RequiredOption,
  type UsedBy,
} from './option-table.js';

interface Check<Given, Used> extends Omit<OptionKind<Given, Used>, 'read'> {
  readonly accepts: (given: unknown) => boolean;
  /** Turns an accepted value into the one that is used. Default: the value itself. */
  readonly use?: (given: Given) => Used;
  /** Stands for an absent option, and for a wrong one until all problems are reported. */
  readonly absent: Used;
  /** Makes an absent option a problem, and says what to do. */
  readonly missing?: string;
}

/** Makes a kind of option from a check. */
export function option<Given, Used = Given>(check: Check<Given, Used>): OptionKind<Given, Used> {
  const { accepts, use = (given: Given) => given as unknown as Used, absent, missing, ...kind } = check;
  return {
    ...kind,
    read(given, name, { problems, env }) {
      const value = given === undefined && kind.env ? env[kind.env]?.trim() || undefined : given;
      if (value !== undefined && accepts(value)) return use(value as Given);
      if (value !== undefined) problems.push(`${name} must be ${kind.takes}`);
      else if (missing) problems.push(`${name} is missing: ${missing}`);
      return absent;
    },
  };
}

/** The whole numbers that an option accepts, both ends included. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
  readonly unit?: 'ms';
}

/** @returns whether a value is a whole number within a range */
export function isIntegerIn({ min, max }: IntegerRange, value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

function integerCheck(range: IntegerRange) {
  const takes = `a whole number from ${range.min} to ${range.max}`;
  return { takes, accepts: (value: unknown) => isIntegerIn(range, value), ...(range.unit && { unit: range.unit }) };
}

/** A whole number with a default. */
export function integer(range: IntegerRange & { readonly default: number }): OptionKind<number> {
  return option({ ...integerCheck(range), default: range.default, absent: range.default });
}

/** A whole number without a default. */
export function requiredInteger(range: IntegerRange): RequiredOption<number> {
  const check = integerCheck(range);
  return { ...option({ ...check, absent: range.min, missing: check.takes }), isRequired: true };
}

const TEXT = {
  takes: 'a text that is not empty',
  accepts: (given: unknown): boolean => typeof given === 'string' && given.trim() !== '',
  use: (given: string): string => given.trim(),
};

/** A text with a default. Surrounding blanks are removed. */
export function text(fallback: string): OptionKind<string> {
  return option({ ...TEXT, default: fallback, absent: fallback });
}

/** A text that may be absent from the options and, where a variable is named, from the environment. */
export function optionalText(env?: string): OptionKind<string, string | null> {
  return option<string, string | null>({ ...TEXT, ...(env && { env }), absent: null });
}

/** A text that must be in the options or in the environment. */
export function textOrEnv(env: string): OptionKind<string> {
  const missing = `pass it to forRoot() or set ${env} in the environment`;
  return option({ ...TEXT, env, absent: '', missing });
}

/** `true` or `false`, and nothing that converts to them. */
export function flag(fallback: boolean): OptionKind<boolean> {
  const accepts = (given: unknown): boolean => typeof given === 'boolean';
  return option({ takes: 'true or false', accepts, default: fallback, absent: fallback });
}

/** One of two words; the first is the default. */
export function choice<First extends string, Second extends string>(
  first: First,
  second: Second,
): OptionKind<First | Second> {
  const accepts = (given: unknown): boolean => given === first || given === second;
  return option<First | Second>({ takes: `'${first}' or '${second}'`, accepts, default: first, absent: first });
}

/** A list that is copied. */
export function list<Item>(
  takes: string,
  accepts: (given: readonly unknown[]) => boolean,
): OptionKind<readonly Item[]> {
  return option<readonly Item[]>({
    takes,
    accepts: (given) => Array.isArray(given) && accepts(given),
    use: (given) => [...given],
    absent: [],
  });
}

/** A function, or nothing. */
export function optionalFunction<F extends (...args: never[]) => unknown>(): OptionKind<F, F | null> {
  return option<F, F | null>({ takes: 'a function', accepts: (given) => typeof given === 'function', absent: null });
}

/** An object that is used as it is. */
export function object<T extends object>(): OptionKind<T, T | null> {
  return option<T, T | null>({ takes: 'an object', accepts: isRecord, absent: null });
}

/** An object with options of its own. Absent, it has every default. */
export function section<Table extends OptionTable>(
  fields: Table,
  takes = 'an object',
): OptionKind<OptionalIn<Table> & RequiredIn<Table>, UsedBy<Table>> {
  return {
    takes,
    fields,
    read(given, name, reading) {
      if (given === undefined || isRecord(given))
        return readTable(fields, given ?? {}, reading, (field) => `${name}.${field}`);
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
