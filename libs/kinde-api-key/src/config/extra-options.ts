import { KindeApiKeyConfigurationError } from '../kinde-api-key.errors.js';
import { flag, isRecord, option, readTable, type OptionalIn, type UsedBy } from './option-kinds.js';

/** A controller class. */
// oxlint-disable-next-line typescript/no-explicit-any -- the constructor of an app's controller may take anything
export type ControllerClass = abstract new (...args: any[]) => object;

function isExemption(given: unknown): boolean {
  if (!isRecord(given) || Object.keys(given).some((name) => name !== 'publicControllers')) return false;
  const { publicControllers } = given;
  return Array.isArray(publicControllers) && publicControllers.every((item) => typeof item === 'function');
}

/** The options that Nest needs before any provider exists. */
export const EXTRA_OPTIONS = {
  /**
   * Whether one registration serves every module of the app. A second global registration stops the boot. For a second Kinde domain, use
   * `isGlobal: false` in the feature modules that need it. Default `true`.
   */
  isGlobal: flag(true),
  /**
   * `true` protects every route of the app, and stops the boot for a handler without an access decorator.
   * `{ publicControllers: [Class] }` does the same, except for controllers that you cannot edit. Risk of `false`: a route without
   * `@UseGuards(ApiKeyGuard)` is open. Default `false`.
   */
  globalGuard: option<boolean | { readonly publicControllers: readonly ControllerClass[] }>({
    takes: 'true, false or { publicControllers: [Class, ...] }',
    accepts: (given) => typeof given === 'boolean' || isExemption(given),
    default: false,
    absent: false,
  }),
};

/** The options beside `useFactory` in `forRootAsync`, and among the others in `forRoot`. */
export interface KindeApiKeyModuleExtras extends OptionalIn<typeof EXTRA_OPTIONS> {}

/**
 * Checks the extras and fills in their defaults. In `forRoot` the other options stand beside them.
 *
 * @throws {KindeApiKeyConfigurationError} INVALID_CONFIGURATION with every problem
 */
export function resolveExtras({ isGlobal, globalGuard }: KindeApiKeyModuleExtras): UsedBy<typeof EXTRA_OPTIONS> {
  const problems: string[] = [];
  const extras = readTable(EXTRA_OPTIONS, { isGlobal, globalGuard }, { problems, env: {} });
  if (problems.length > 0) throw invalidOptions(problems);
  return extras;
}

/** The error for wrong options of the module: it stops the boot and lists every problem. */
export function invalidOptions(problems: readonly string[]): KindeApiKeyConfigurationError {
  return new KindeApiKeyConfigurationError('KindeApiKeyModule cannot start with these options:', problems);
}
