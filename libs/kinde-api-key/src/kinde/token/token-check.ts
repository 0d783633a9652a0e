import { pause, untilAborted } from '../limits/deadline.js';
import type { AccessToken } from './access-token.js';

/** Minimum time between two checks, in milliseconds of real time: a flood of bad keys costs at most 20 checks a second. */
const CHECK_EVERY_MS = 50;

/** Whether Kinde still takes a token that verify has accepted before. `unclear`: it gave no usable answer. */
export type TokenState = 'good' | 'rejected' | 'unclear';

/**
 * Asks Kinde whether it still takes a token, by reading the details of a key that it knows. Needs the same scope as verify, and no raw key.
 */
export class TokenCheck {
  /** The check that is not sent yet. It answers everyone who waits for it. */
  #next: Promise<TokenState> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @param ask sends one check; a rejection of its promise is `unclear` */
  constructor(private readonly ask: (token: AccessToken, keyId: string) => Promise<TokenState>) {}

  /** Resolves to what a check says that is sent from now on. A check in flight says nothing about a later rejection. */
  stateOf(token: AccessToken, keyId: string, signal: AbortSignal): Promise<TokenState> {
    this.#next ??= this.#last.then(() => this.#send(token, keyId));
    return untilAborted(this.#next, signal);
  }

  async #send(token: AccessToken, keyId: string): Promise<TokenState> {
    this.#next = undefined;
    const answer = this.ask(token, keyId).catch((): TokenState => 'unclear');
    this.#last = answer.then(() => pause(CHECK_EVERY_MS));
    return answer;
  }
}
