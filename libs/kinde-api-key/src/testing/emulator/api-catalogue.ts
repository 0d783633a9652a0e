import { createHash, randomBytes } from 'node:crypto';
import { MANAGEMENT_SCOPES } from './applications.js';
import { checkNames, checkOptionNames, checkText } from './checks.js';

/** An API to register with the emulator. */
export interface KindeEmulatorApiOptions {
  /** Default: a random id. */
  readonly id?: string | undefined;
  readonly name: string;
  /** Default: `https://` and the id. */
  readonly audience?: string | undefined;
  /** Scopes that the API defines and its keys may have. Default: none. */
  readonly scopes?: readonly string[] | undefined;
}

/** A scope of a registered API. */
export interface KindeEmulatorApiScope {
  readonly id: string;
  /** Name in keys and tokens, e.g. `read:users`. */
  readonly key: string;
}

/** A registered API. */
export interface KindeEmulatorApi {
  readonly id: string;
  readonly name: string;
  readonly audience: string;
  readonly isManagementApi: boolean;
  readonly scopes: readonly KindeEmulatorApiScope[];
}

/** Registered unless `apis` is given. */
const DEFAULT_APIS: readonly KindeEmulatorApiOptions[] = [
  { name: 'Emulated API', audience: 'https://api.example.com', scopes: ['read:users', 'write:users'] },
];

/** The registered APIs: Kinde's Management API first, then the user's. */
export class ApiCatalogue {
  readonly #apis: readonly KindeEmulatorApi[];
  /** Id of the first API that is not the Management API. The default of a key's `apiId`. */
  readonly defaultApiId: string;

  /** @throws {TypeError} If `apis` is empty, repeats an id, or has an entry that is not valid. */
  constructor(managementAudience: string, apis: readonly KindeEmulatorApiOptions[] = DEFAULT_APIS) {
    const registered = apis.map(registeredApi);
    const [first] = registered;
    if (!first) throw new TypeError('KindeEmulator: apis must have at least one entry, or be omitted');
    const management = { name: 'Kinde Management API', audience: managementAudience, scopes: MANAGEMENT_SCOPES };
    this.#apis = [{ ...registeredApi(management), isManagementApi: true }, ...registered];
    this.defaultApiId = first.id;
    if (new Set(this.#apis.map((api) => api.id)).size < this.#apis.length) {
      throw new TypeError('KindeEmulator: two of the apis have the same id');
    }
  }

  all(): readonly KindeEmulatorApi[] {
    return this.#apis;
  }

  get(id: string): KindeEmulatorApi | undefined {
    return this.#apis.find((api) => api.id === id);
  }
}

function registeredApi(options: KindeEmulatorApiOptions): KindeEmulatorApi {
  checkOptionNames('api', options, ['id', 'name', 'audience', 'scopes']);
  const id = checkText('id', options.id ?? `api_${randomBytes(16).toString('hex')}`);
  return {
    id,
    name: checkText('name', options.name),
    audience: checkText('audience', options.audience ?? `https://${id}`),
    isManagementApi: false,
    scopes: checkNames('scopes', options.scopes ?? []).map((key) => ({ id: scopeId(id, key), key })),
  };
}

function scopeId(apiId: string, key: string): string {
  return `api_scope_${createHash('sha256').update(`${apiId} ${key}`).digest('hex').slice(0, 32)}`;
}
