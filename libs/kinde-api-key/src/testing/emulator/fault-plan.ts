import { checkEndpoint, parseFault, parseFaultTarget } from './fault-parser.js';
import type { FaultObject, KindeEmulatorEndpoint, KindeEmulatorFault, KindeEmulatorFaultTarget } from './faults.js';

interface NextFault {
  readonly fault: FaultObject;
  readonly where: KindeEmulatorEndpoint | undefined;
  left: number;
}

/**
 * Selects the fault of each request: first those of `next` in order, then the standing fault of the endpoint, then the
 * standing fault for all endpoints.
 */
export class FaultPlan {
  #next: NextFault[] = [];
  readonly #standing = new Map<KindeEmulatorEndpoint | undefined, FaultObject>();

  /** Plans a fault for the next requests. @throws {TypeError} If the fault or its target is not valid. */
  next(fault: KindeEmulatorFault, target: KindeEmulatorFaultTarget | undefined): void {
    const parsed = parseFault(fault);
    const { times, where } = parseFaultTarget(parsed, target);
    this.#next.push({ fault: parsed, where, left: times });
  }

  /** Sets or replaces the standing fault of an endpoint. @throws {TypeError} If the fault or the endpoint is not valid. */
  untilCleared(fault: KindeEmulatorFault, where: KindeEmulatorEndpoint | undefined): void {
    const parsed = parseFault(fault);
    this.#standing.set(parseFaultTarget(parsed, where).where, parsed);
  }

  /** Removes the faults of one endpoint, or all faults. */
  clear(where: KindeEmulatorEndpoint | undefined): void {
    if (where === undefined) {
      this.#next = [];
      this.#standing.clear();
      return;
    }
    checkEndpoint(where);
    this.#next = this.#next.filter((planned) => planned.where !== where);
    this.#standing.delete(where);
  }

  /** Takes the fault of a request that has just arrived, if any. @param endpoint `undefined` for an unknown path. */
  take(endpoint: KindeEmulatorEndpoint | undefined): FaultObject | undefined {
    const planned = this.#next.find(({ where }) => where === undefined || where === endpoint);
    if (!planned) {
      const own = endpoint === undefined ? undefined : this.#standing.get(endpoint);
      return own ?? this.#standing.get(undefined);
    }
    planned.left -= 1;
    if (planned.left === 0) this.#next.splice(this.#next.indexOf(planned), 1);
    return planned.fault;
  }
}
