import { checkEndpoint, parseFault, parseFaultTarget } from './fault-parser.js';
import type { FaultObject, KindeEmulatorEndpoint, KindeEmulatorFault, KindeEmulatorFaultTarget } from './faults.js';

interface NextFault {
  readonly fault: FaultObject;
  readonly where: KindeEmulatorEndpoint | undefined;
  left: number;
}

/**
 * Which request gets which fault.
 *
 * Those given by `next` come first, in the order they were given; then the standing fault of the endpoint; then the standing fault
 * of all endpoints.
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

  /** Sets the standing fault of a place, instead of the one it had. @throws {TypeError} If the fault or the place is not valid. */
  untilCleared(fault: KindeEmulatorFault, where: KindeEmulatorEndpoint | undefined): void {
    const parsed = parseFault(fault);
    this.#standing.set(parseFaultTarget(parsed, where).where, parsed);
  }

  /** Forgets the faults aimed at one endpoint, or all of them. */
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

  /** The fault of a request that has just arrived, or `undefined`. @param endpoint `undefined` for an unknown path. */
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
