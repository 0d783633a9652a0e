import { VerificationFailure } from '../verification-failure.js';

/** Kinde issued a token, and billed it, but it cannot be used. It is not asked for another one at once. */
export class UnusableMint extends VerificationFailure {
  constructor(problem: string) {
    super('kinde', problem);
  }
}
