import type { KindeEmulatorApi } from './emulator/api-catalogue.js';
import {
  type Application,
  type KindeEmulatorApplicationOptions,
  type KindeEmulatorCredentials,
  MANAGEMENT_SCOPES,
} from './emulator/applications.js';
import { Arrivals } from './emulator/arrivals.js';
import { type KindeEmulatorCounters, newCounters } from './emulator/counters.js';
import { type EmulatedKinde, newEmulatedKinde } from './emulator/emulated-kinde.js';
import { FaultPlan } from './emulator/fault-plan.js';
import type { KindeEmulatorEndpoint, KindeEmulatorFault, KindeEmulatorFaultTarget } from './emulator/faults.js';
import type {
  KindeEmulatorKey,
  KindeEmulatorKeyOptions,
  KindeEmulatorKeyRecord,
  KindeEmulatorKeyStatus,
} from './emulator/key-store.js';
import { LoopbackServer } from './emulator/loopback-server.js';
import {
  checkEmulatorOptions,
  checkInvalidKeyAnswer,
  type KindeEmulatorInvalidKeyAnswer,
  type KindeEmulatorOptions,
} from './emulator/options.js';
import { handleRequest } from './emulator/request-handler.js';
import { generateSigningKeys, type KindeEmulatorTokenOptions, type SigningKeys } from './emulator/token-issuer.js';

/**
 * A stand-in for Kinde on 127.0.0.1: M2M tokens, verification and life cycle of API keys, and every fault on command.
 *
 * It speaks plain http, keeps everything in memory and is not for production.
 */
export class KindeEmulator implements AsyncDisposable {
  /** The origin to give to the library as its `domain`, e.g. `http://127.0.0.1:43123`. */
  readonly domain: string;
  /** What has been asked so far: a live object, whose numbers grow. */
  readonly counters: KindeEmulatorCounters;

  readonly #server: LoopbackServer;
  readonly #kinde: EmulatedKinde;
  readonly #faults = new FaultPlan();
  readonly #arrivals = new Arrivals();
  #application: Application;

  private constructor(server: LoopbackServer, signingKeys: SigningKeys, options: KindeEmulatorOptions) {
    this.#server = server;
    this.#kinde = newEmulatedKinde(server.port, signingKeys, options);
    this.domain = this.#kinde.domain;
    this.counters = this.#kinde.counters;
    const { scopes, tokenLifetimeSeconds } = options;
    this.#application = this.#kinde.applications.register({ ...options.credentials, scopes, tokenLifetimeSeconds });
    for (const key of options.keys ?? []) this.createKey(key);
    server.serve((message, response) => {
      void handleRequest(this.#kinde, this.#faults, this.#arrivals, message, response);
    });
  }

  /**
   * Starts an emulator. Call {@link stop} when it is no longer needed: it keeps the process alive.
   *
   * @throws {TypeError} If an option is unknown or not valid.
   * @throws {Error} If the port cannot be had; `code` is Node's, e.g. `EADDRINUSE`.
   */
  static async start(options: KindeEmulatorOptions = {}): Promise<KindeEmulator> {
    checkEmulatorOptions(options);
    const signingKeys = await generateSigningKeys();
    const server = await LoopbackServer.listen(options.port ?? 0);
    try {
      return new KindeEmulator(server, signingKeys, options);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Client id and secret of the first M2M application, as they are now. */
  get credentials(): KindeEmulatorCredentials {
    return { clientId: this.#application.clientId, clientSecret: this.#application.clientSecret };
  }

  /** The registered APIs with their scopes, Kinde's Management API first. */
  get apis(): readonly KindeEmulatorApi[] {
    return this.#kinde.apis.all();
  }

  /** Id of the first registered API that is not the Management API: keys belong to it unless they say else. */
  get apiId(): string {
    return this.#kinde.apis.defaultApiId;
  }

  /** How verify answers for a key that is not valid; may be set at any time. @throws {TypeError} If the value is not one of the six. */
  get invalidKeyAnswer(): KindeEmulatorInvalidKeyAnswer {
    return this.#kinde.invalidKeyAnswer;
  }

  set invalidKeyAnswer(answer: KindeEmulatorInvalidKeyAnswer) {
    this.#kinde.invalidKeyAnswer = checkInvalidKeyAnswer(answer);
  }

  /** Makes an API key. @throws {TypeError} If an option is unknown or not valid, or the key or its id exists already. */
  createKey(options: KindeEmulatorKeyOptions = {}): KindeEmulatorKey {
    return this.#kinde.keys.create(options, 'emulator');
  }

  /** Gives a key a new secret under the same id; the old one stops verifying. @throws {TypeError} If there is no such key. */
  rotateKey(keyId: string): KindeEmulatorKey {
    return this.#kinde.keys.rotate(keyId);
  }

  /** Revokes a key. @throws {TypeError} If there is no such key. */
  revokeKey(keyId: string): void {
    this.#kinde.keys.setStatus(keyId, 'revoked');
  }

  /** Sets a key's status, e.g. `'inactive'`, or `'active'` again. @throws {TypeError} If there is no such key. */
  setKeyStatus(keyId: string, status: KindeEmulatorKeyStatus | (string & {})): void {
    this.#kinde.keys.setStatus(keyId, status);
  }

  /** What the emulator knows of a key at this moment, or `undefined`. */
  getKey(keyId: string): KindeEmulatorKeyRecord | undefined {
    return this.#kinde.keys.get(keyId);
  }

  /** Registers a further M2M application. @throws {TypeError} If an option is not valid or the client id is taken. */
  registerApplication(options: KindeEmulatorApplicationOptions = {}): KindeEmulatorCredentials {
    const { clientId, clientSecret } = this.#kinde.applications.register(options);
    return { clientId, clientSecret };
  }

  /**
   * Changes an M2M application: its secret, scopes, audiences, the shape of its tokens. Tokens that were issued stay as they are.
   *
   * @param clientId Default: the first application.
   * @throws {TypeError} If there is no such application, or a change is not valid.
   */
  changeApplication(changes: KindeEmulatorApplicationOptions, clientId?: string): KindeEmulatorCredentials {
    const changed = this.#kinde.applications.change(clientId ?? this.#application.clientId, changes);
    if (clientId === undefined || clientId === this.#application.clientId) this.#application = changed;
    return { clientId: changed.clientId, clientSecret: changed.clientSecret };
  }

  /** Deletes an M2M application (default: the first): its credentials are `invalid_client` from now on. `false` if there was none. */
  removeApplication(clientId: string = this.#application.clientId): boolean {
    return this.#kinde.applications.remove(clientId);
  }

  /** Makes every M2M token that was issued so far invalid: calls with one are answered with 401. */
  revokeTokens(): void {
    this.#kinde.tokens.revokeAll();
  }

  /** A signed token without a request, for answers made by hand and for tests of what is refused. Not counted in `mints`. */
  issueToken(options: KindeEmulatorTokenOptions = {}): string {
    return this.#kinde.tokens.issue({
      clientId: this.#application.clientId,
      scopes: options.scopes ?? MANAGEMENT_SCOPES,
      audience: options.audience ?? [`${this.domain}/api`],
      lifetimeSeconds: options.lifetimeSeconds ?? 86_400,
    });
  }

  /**
   * Lets the next request fail, or the next few. Several calls queue up, first in, first out.
   *
   * @param target How often and where: a number of times, an endpoint, or `{ times, where }`. Default: once, any request.
   * @throws {TypeError} If the fault is unknown (the message names the valid ones) or the target is not valid.
   */
  failNext(fault: KindeEmulatorFault, target?: KindeEmulatorFaultTarget): void {
    this.#faults.next(fault, target);
  }

  /**
   * Lets every request fail until {@link clearFaults}; a later fault for the same place replaces this one. Faults of
   * {@link failNext} come first, then the fault of the endpoint, then the fault of all.
   *
   * @param where Only requests to this endpoint. Default: all.
   * @throws {TypeError} If the fault or the endpoint is unknown.
   */
  failUntilCleared(fault: KindeEmulatorFault, where?: KindeEmulatorEndpoint): void {
    this.#faults.untilCleared(fault, where);
  }

  /** Forgets all faults, or those aimed at one endpoint. Requests that already met one go on meeting it. */
  clearFaults(where?: KindeEmulatorEndpoint): void {
    this.#faults.clear(where);
  }

  /** Sets every counter to 0. */
  resetCounters(): void {
    Object.assign(this.#kinde.counters, newCounters());
  }

  /** Resolves when the next request (to `where`, if given) has arrived and been counted, answered or not. Instead of a sleep. */
  nextRequest(where?: KindeEmulatorEndpoint): Promise<void> {
    return this.#arrivals.next(where);
  }

  /** Closes the port and every connection at once, those that hang included. May be called again. */
  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** The same as {@link stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
