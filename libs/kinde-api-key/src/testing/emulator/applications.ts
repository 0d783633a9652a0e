import { randomBytes } from 'node:crypto';
import { checkNames, checkOptionNames, checkText } from './checks.js';

/** The scopes of Kinde's Management API that this emulator knows, and that an M2M application has unless it is told otherwise. */
export const MANAGEMENT_SCOPES = [
  'read:api_keys',
  'create:api_keys',
  'update:api_keys',
  'delete:api_keys',
  'read:apis',
  'read:api_scopes',
] as const;

/** Client id and secret of an M2M application; spread them into `KindeApiKeyModule.forRoot()`. */
export interface KindeEmulatorCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** How an M2M application is set up at the emulator; everything can be changed while it runs. */
export interface KindeEmulatorApplicationOptions {
  /** A made-up id if omitted. */
  readonly clientId?: string | undefined;
  /** A made-up secret if omitted. */
  readonly clientSecret?: string | undefined;
  /** Granted scopes, which its tokens carry. Default: the six scopes of the Management API that the emulator knows. */
  readonly scopes?: readonly string[] | undefined;
  /** Audiences it may ask for; any other is `unauthorized_client`. Default: the Management API, `<domain>/api`. */
  readonly audiences?: readonly string[] | undefined;
  /** Lifetime of its tokens in seconds, an integer of at least 1. Default 86,400 (24 h). */
  readonly tokenLifetimeSeconds?: number | undefined;
  /** The `org_code` claim of its tokens, for an application that belongs to an organization. Default, and `null`: no claim. */
  readonly orgCode?: string | null | undefined;
  /** The `aud` claim of its tokens, whatever was asked for. Default, and `null`: what was asked for. */
  readonly issuedAudience?: readonly string[] | null | undefined;
  /** `true` leaves `expires_in` out of the token answer, so that a client has to read `exp`. Default `false`. */
  readonly omitExpiresIn?: boolean | undefined;
}

/** An M2M application with every setting filled in. */
export interface Application {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly tokenLifetimeSeconds: number;
  readonly orgCode: string | null;
  readonly issuedAudience: readonly string[] | null;
  readonly omitExpiresIn: boolean;
}

const OPTION_NAMES = [
  'clientId',
  'clientSecret',
  'scopes',
  'audiences',
  'tokenLifetimeSeconds',
  'orgCode',
  'issuedAudience',
  'omitExpiresIn',
];

/** The M2M applications that the token endpoint knows. */
export class ApplicationRegistry {
  readonly #applications = new Map<string, Application>();
  readonly #managementAudiences: readonly string[];

  constructor(managementAudiences: readonly string[]) {
    this.#managementAudiences = managementAudiences;
  }

  /** @throws {TypeError} If an option is unknown or of a wrong type, or the client id is taken. */
  register(options: KindeEmulatorApplicationOptions): Application {
    const application = completed(options, {
      clientId: randomBytes(16).toString('hex'),
      clientSecret: randomBytes(24).toString('base64url'),
      scopes: MANAGEMENT_SCOPES,
      audiences: this.#managementAudiences,
      tokenLifetimeSeconds: 86_400,
      orgCode: null,
      issuedAudience: null,
      omitExpiresIn: false,
    });
    if (this.#applications.has(application.clientId)) {
      throw new TypeError(`KindeEmulator: an application with the client id "${application.clientId}" exists already`);
    }
    this.#applications.set(application.clientId, application);
    return application;
  }

  /** @throws {TypeError} If there is no such application, or a change is not valid. */
  change(clientId: string, changes: KindeEmulatorApplicationOptions): Application {
    const before = this.#applications.get(clientId);
    if (!before) throw new TypeError(`KindeEmulator: there is no application with the client id "${clientId}"`);
    const after = completed(changes, before);
    if (after.clientId !== clientId && this.#applications.has(after.clientId)) {
      throw new TypeError(`KindeEmulator: an application with the client id "${after.clientId}" exists already`);
    }
    this.#applications.delete(clientId);
    this.#applications.set(after.clientId, after);
    return after;
  }

  /** Deletes an application: its credentials are `invalid_client` from now on. `false` if there was none. */
  remove(clientId: string): boolean {
    return this.#applications.delete(clientId);
  }

  /** The application with this id and secret, or `undefined`. */
  authenticate(clientId: string, clientSecret: string): Application | undefined {
    const application = this.#applications.get(clientId);
    return application?.clientSecret === clientSecret ? application : undefined;
  }
}

/** `base` with those settings that `options` has: a key that is there and `undefined` means "as it was". */
function completed(options: KindeEmulatorApplicationOptions, base: Application): Application {
  checkOptionNames('application', options, OPTION_NAMES);
  const lifetime = options.tokenLifetimeSeconds ?? base.tokenLifetimeSeconds;
  if (!Number.isSafeInteger(lifetime) || lifetime < 1) {
    throw new TypeError(
      `KindeEmulator: tokenLifetimeSeconds must be an integer of at least 1, got ${String(lifetime)}`,
    );
  }
  const omitExpiresIn = options.omitExpiresIn ?? base.omitExpiresIn;
  if (typeof omitExpiresIn !== 'boolean') throw new TypeError('KindeEmulator: omitExpiresIn must be true or false');
  const issuedAudience = options.issuedAudience === undefined ? base.issuedAudience : options.issuedAudience;
  const orgCode = options.orgCode === undefined ? base.orgCode : options.orgCode;
  return {
    clientId: checkText('clientId', options.clientId ?? base.clientId),
    clientSecret: checkText('clientSecret', options.clientSecret ?? base.clientSecret),
    scopes: checkNames('scopes', options.scopes ?? base.scopes),
    audiences: checkNames('audiences', options.audiences ?? base.audiences),
    tokenLifetimeSeconds: lifetime,
    orgCode: orgCode === null ? null : checkText('orgCode', orgCode),
    issuedAudience: issuedAudience === null ? null : checkNames('issuedAudience', issuedAudience),
    omitExpiresIn,
  };
}
