import { randomBytes } from 'node:crypto';
import { checkNames, checkOptionNames, checkText } from './checks.js';

/** Scopes of Kinde's Management API that the emulator supports. The default scopes of an M2M application. */
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

/** Environment variables of an app that uses the emulator; for `Object.assign(process.env, emulator.environment)`. */
export interface KindeEmulatorEnvironment {
  readonly KINDE_DOMAIN: string;
  readonly KINDE_MANAGEMENT_CLIENT_ID: string;
  readonly KINDE_MANAGEMENT_CLIENT_SECRET: string;
}

/** Settings of an M2M application. All can be changed while the emulator runs. */
export interface KindeEmulatorApplicationOptions {
  /** Default: a random id. */
  readonly clientId?: string | undefined;
  /** Default: a random secret. */
  readonly clientSecret?: string | undefined;
  /** Scopes of its tokens. Default: the six scopes of the Management API that the emulator supports. */
  readonly scopes?: readonly string[] | undefined;
  /** Audiences that it may request. Any other is `unauthorized_client`. Default: the Management API, `<domain>/api`. */
  readonly audiences?: readonly string[] | undefined;
  /** Lifetime of its tokens in seconds, an integer of at least 1. Default 86,400 (24 h). */
  readonly tokenLifetimeSeconds?: number | undefined;
  /** `org_code` claim of its tokens, for an application of an organization. Default `null`: no claim. */
  readonly orgCode?: string | null | undefined;
  /** `aud` claim of its tokens, instead of the requested audience. Default `null`: the requested audience. */
  readonly issuedAudience?: readonly string[] | null | undefined;
  /** `true` omits `expires_in` from the token answer, so that a client has to read `exp`. Default `false`. */
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

/** The registered M2M applications. */
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

  /** @throws {TypeError} If the client id is unknown, or a change is not valid. */
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

  /** Deletes an application. Returns whether it existed. */
  remove(clientId: string): boolean {
    return this.#applications.delete(clientId);
  }

  /** Returns the application with this id and secret, or `undefined`. */
  authenticate(clientId: string, clientSecret: string): Application | undefined {
    const application = this.#applications.get(clientId);
    return application?.clientSecret === clientSecret ? application : undefined;
  }
}

/** Returns the client id and secret of an application. */
export function credentialsOf({ clientId, clientSecret }: Application): KindeEmulatorCredentials {
  return { clientId, clientSecret };
}

/** Returns the variables from which an app reads its connection. */
export function environmentOf(domain: string, { clientId, clientSecret }: Application): KindeEmulatorEnvironment {
  return {
    KINDE_DOMAIN: domain,
    KINDE_MANAGEMENT_CLIENT_ID: clientId,
    KINDE_MANAGEMENT_CLIENT_SECRET: clientSecret,
  };
}

/** Returns `base` with the settings that `options` defines. `undefined` keeps the setting of `base`. */
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
