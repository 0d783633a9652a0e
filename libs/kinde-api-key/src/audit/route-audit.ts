import type { AuditedApi } from './audited-api.js';
import type { AuditedRoute } from './audited-route.js';
import type { BootCheck } from './boot-check.js';

/** @internal Finds the audit in an app that has loaded another copy of the library, as a CommonJS app beside the command line. */
export const ROUTE_AUDIT = Symbol.for('nestjs-kinde-api-key:route-audit');

/** Tells what every handler of the app demands, and where each rule came from. It has the boot check's own data. */
export class ApiKeyRouteAudit {
  // Private to the language: it leads to every object of the app, and a log of the app's providers must not.
  readonly #bootCheck: BootCheck;

  /** @internal */
  constructor(bootCheck: BootCheck) {
    this.#bootCheck = bootCheck;
  }

  /**
   * Returns the handlers that this registration protects, in the order of their routes.
   *
   * @returns empty before the app has started (`app.init()` or `app.listen()`)
   */
  routes(): readonly AuditedRoute[] {
    return this.#bootCheck.routes.toSorted((one, other) => (one.route < other.route ? -1 : 1));
  }

  /** @internal Returns what an OpenAPI document is made from, before the app has started, too. */
  api(): AuditedApi {
    return this.#bootCheck.api;
  }
}
