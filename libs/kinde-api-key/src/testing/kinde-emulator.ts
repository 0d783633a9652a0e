import type { KindeEmulatorApi } from './emulator/api-catalogue.js';
import {
  type Application,
  credentialsOf,
  environmentOf,
  type KindeEmulatorApplicationOptions,
  type KindeEmulatorCredentials,
} from './emulator/applications.js';
import { Arrivals } from './emulator/arrivals.js';
import { type KindeEmulatorCounters, newCounters } from './emulator/counters.js';
import { type EmulatedKinde, newEmulatedKinde } from './emulator/emulated-kinde.js';
import { FaultPlan } from './emulator/fault-plan.js';
import type { KindeEmulatorEndpoint, KindeEmulatorFault, KindeEmulatorFaultTarget } from './emulator/faults.js';
import { issueToken, type KindeEmulatorTokenOptions } from './emulator/issued-token.js';
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
import { generateSigningKeys, type SigningKeys } from './emulator/token-issuer.js';

/** Emulates Kinde on 127.0.0.1 over plain http: M2M tokens, API keys and faults on command. Not for production. */
export class KindeEmulator implements AsyncDisposable {
  /** Origin for the library's option `domain`, e.g. `http://127.0.0.1:43123`. */
  readonly domain: string;
  /** Number of requests so far, by kind. A live object: its numbers grow. */
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
    server.serve((req, res) => void handleRequest(this.#kinde, this.#faults, this.#arrivals, req, res));
  }

  /**
   * Starts an emulator. Call {@link stop} at the end: an open emulator keeps the process alive.
   *
   * @throws {TypeError} If an option is unknown or not valid.
   * @throws {Error} If the port is not available. `code` is Node's, e.g. `EADDRINUSE`.
   */
  static async start(options: KindeEmulatorOptions = {}): Promise<KindeEmulator> {
    checkEmulatorOptions(options);
    const signingKeys = await generateSigningKeys();
    return LoopbackServer.listenFor(options.port ?? 0, (server) => new KindeEmulator(server, signingKeys, options));
  }

  /** Current client id and secret of the first M2M application. */
  get credentials(): KindeEmulatorCredentials {
    return credentialsOf(this.#application);
  }

  /** The variables `KINDE_DOMAIN`, `KINDE_MANAGEMENT_CLIENT_ID` and `KINDE_MANAGEMENT_CLIENT_SECRET` of an app that uses this emulator. */
  get environment() {
    return environmentOf(this.domain, this.#application);
  }

  /** Registered APIs with their scopes, Kinde's Management API first. */
  get apis(): readonly KindeEmulatorApi[] {
    return this.#kinde.apis.all();
  }

  /** Id of the first registered API that is not the Management API. The default of a key's `apiId`. */
  get apiId(): string {
    return this.#kinde.apis.defaultApiId;
  }

  /** How verify answers for a key that is not valid. May be set at any time. @throws {TypeError} If the value is unknown. */
  get invalidKeyAnswer(): KindeEmulatorInvalidKeyAnswer {
    return this.#kinde.invalidKeyAnswer;
  }

  set invalidKeyAnswer(answer: KindeEmulatorInvalidKeyAnswer) {
    this.#kinde.invalidKeyAnswer = checkInvalidKeyAnswer(answer);
  }

  /** Creates an API key. @throws {TypeError} If an option is unknown or not valid, or the key or its id exists already. */
  createKey(options: KindeEmulatorKeyOptions = {}): KindeEmulatorKey {
    return this.#kinde.keys.create(options, 'emulator');
  }

  /** Gives a key a new secret under the same id, and invalidates the old one. @throws {TypeError} If the id is unknown. */
  rotateKey(keyId: string): KindeEmulatorKey {
    return this.#kinde.keys.rotate(keyId);
  }

  /** Revokes a key. @throws {TypeError} If the id is unknown. */
  revokeKey(keyId: string): void {
    this.#kinde.keys.setStatus(keyId, 'revoked');
  }

  /** Sets a key's status, e.g. `'inactive'`, or `'active'` again. @throws {TypeError} If the id is unknown. */
  setKeyStatus(keyId: string, status: KindeEmulatorKeyStatus | (string & {})): void {
    this.#kinde.keys.setStatus(keyId, status);
  }

  /** Returns a snapshot of a key without its secret, or `undefined` if the id is unknown. */
  getKey(keyId: string): KindeEmulatorKeyRecord | undefined {
    return this.#kinde.keys.get(keyId);
  }

  /** Registers another M2M application. @throws {TypeError} If an option is not valid or the client id is taken. */
  registerApplication(options: KindeEmulatorApplicationOptions = {}): KindeEmulatorCredentials {
    return credentialsOf(this.#kinde.applications.register(options));
  }

  /**
   * Changes an M2M application, by default the first. Issued tokens do not change.
   *
   * @throws {TypeError} If the client id is unknown, or a change is not valid.
   */
  changeApplication(changes: KindeEmulatorApplicationOptions, clientId?: string): KindeEmulatorCredentials {
    const changed = this.#kinde.applications.change(clientId ?? this.#application.clientId, changes);
    if (clientId === undefined || clientId === this.#application.clientId) this.#application = changed;
    return credentialsOf(changed);
  }

  /** Deletes an M2M application, by default the first. Its credentials become `invalid_client`. Returns whether it existed. */
  removeApplication(clientId: string = this.#application.clientId): boolean {
    return this.#kinde.applications.remove(clientId);
  }

  /** Revokes all M2M tokens issued so far: calls with one are answered with 401. */
  revokeTokens(): void {
    this.#kinde.tokens.revokeAll();
  }

  /** Signs with a new key from now on and publishes it alone. Tokens of the key before are no longer valid. */
  async rotateSigningKey(): Promise<void> {
    this.#kinde.tokens.rotate(await generateSigningKeys());
  }

  /** Returns a signed token without a request: an M2M token, or a user's with `userId`. Not counted in `mints`. */
  issueToken(options: KindeEmulatorTokenOptions = {}): string {
    return issueToken(this.#kinde, this.#application, options);
  }

  /**
   * Makes the next request fail, or those of `target`: a number of requests, an endpoint, or `{ times, where }`.
   * Faults of several calls are used in the order of the calls.
   *
   * @throws {TypeError} If the fault is unknown (the message names the valid ones) or the target is not valid.
   */
  failNext(fault: KindeEmulatorFault, target?: KindeEmulatorFaultTarget): void {
    this.#faults.next(fault, target);
  }

  /**
   * Makes every request (to `where`, if given) fail until {@link clearFaults} or a new fault for the same endpoint.
   * Faults of {@link failNext} come first, then the fault of the endpoint, then the fault for all endpoints.
   *
   * @throws {TypeError} If the fault or the endpoint is unknown.
   */
  failUntilCleared(fault: KindeEmulatorFault, where?: KindeEmulatorEndpoint): void {
    this.#faults.untilCleared(fault, where);
  }

  /** Removes all faults, or those of one endpoint. A request that already met a fault keeps it. */
  clearFaults(where?: KindeEmulatorEndpoint): void {
    this.#faults.clear(where);
  }

  /** Sets every counter to 0. */
  resetCounters(): void {
    Object.assign(this.#kinde.counters, newCounters());
  }

  /** Resolves when the next request (to `where`, if given) has arrived and was counted, answered or not. Replaces a sleep. */
  nextRequest(where?: KindeEmulatorEndpoint): Promise<void> {
    return this.#arrivals.next(where);
  }

  /** Closes the port and every connection at once, hanging ones included. May be called again. */
  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** The same as {@link stop}, for `await using`. */
  readonly [Symbol.asyncDispose] = (): Promise<void> => this.stop();
}
