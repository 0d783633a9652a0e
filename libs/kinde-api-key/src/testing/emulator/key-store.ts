import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.js';
import { checkNames, checkOptionNames, checkText } from './checks.js';

/** Key states that Kinde documents. */
export type KindeEmulatorKeyStatus = 'active' | 'inactive' | 'revoked';

/** Kind of a key's owner. */
export type KindeEmulatorKeyType = 'user' | 'organization' | 'environment';

/** Settings of an API key. Each has a default. */
export interface KindeEmulatorKeyOptions {
  /** Name in lists. Default `'API key'`. */
  readonly name?: string | undefined;
  /** Scopes of the key, any names. Default: none. */
  readonly scopes?: readonly string[] | undefined;
  /** Organization of the key. Default `null`. */
  readonly orgCode?: string | null | undefined;
  /** User of the key. Default `null`. */
  readonly userId?: string | null | undefined;
  /** Default: `'user'` with a `userId`, else `'organization'` with an `orgCode`, else `'environment'`. */
  readonly type?: KindeEmulatorKeyType | undefined;
  /** Any other string imitates a state that Kinde may add. Default `'active'`. */
  readonly status?: KindeEmulatorKeyStatus | (string & {}) | undefined;
  /** Id of the registered API that the key belongs to. Default: the emulator's `apiId`. */
  readonly apiId?: string | undefined;
  /** Several API ids or none, instead of `apiId`. */
  readonly apiIds?: readonly string[] | undefined;
  /** Raw key, for demos that need a fixed one. Default: `k_live_` and 48 random hex digits. */
  readonly key?: string | undefined;
  /** Default: `api_key_` and 32 random hex digits. */
  readonly keyId?: string | undefined;
}

/** A key id, and the raw key that a caller sends. */
export interface KindeEmulatorKey {
  readonly keyId: string;
  readonly key: string;
}

/** Snapshot of a key, without the raw key. */
export interface KindeEmulatorKeyRecord {
  readonly keyId: string;
  readonly name: string;
  readonly type: KindeEmulatorKeyType;
  readonly status: string;
  readonly scopes: readonly string[];
  readonly orgCode: string | null;
  readonly userId: string | null;
  readonly apiIds: readonly string[];
  readonly keyPrefix: string;
  readonly keySuffix: string;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly lastVerifiedAtMs: number | null;
  readonly verificationCount: number;
}

const OPTION_NAMES = ['name', 'scopes', 'orgCode', 'userId', 'type', 'status', 'apiId', 'apiIds', 'key', 'keyId'];
const KEY_TYPES: readonly string[] = ['user', 'organization', 'environment'] satisfies KindeEmulatorKeyType[];

/** The API keys of one emulator, in the order of their creation. */
export class KeyStore {
  readonly #clock: Clock;
  readonly #defaultApiId: string;
  readonly #records = new Map<string, KindeEmulatorKeyRecord>();
  readonly #idByKey = new Map<string, string>();

  constructor(clock: Clock, defaultApiId: string) {
    this.#clock = clock;
    this.#defaultApiId = defaultApiId;
  }

  /** @throws {TypeError} If an option is unknown or of a wrong type, or the key or its id exists already. */
  create(options: KindeEmulatorKeyOptions, createdBy: string): KindeEmulatorKey {
    checkOptionNames('key', options, OPTION_NAMES);
    const keyId = checkText('keyId', options.keyId ?? `api_key_${randomBytes(16).toString('hex')}`);
    const key = checkText('key', options.key ?? newSecret());
    if (this.#records.has(keyId)) throw new TypeError(`KindeEmulator: a key with the id "${keyId}" exists already`);
    if (this.#idByKey.has(key)) throw new TypeError('KindeEmulator: a key with this value exists already');
    if (options.apiId !== undefined && options.apiIds !== undefined) {
      throw new TypeError('KindeEmulator: give a key either apiId or apiIds, not both');
    }
    const orgCode = options.orgCode == null ? null : checkText('orgCode', options.orgCode);
    const userId = options.userId == null ? null : checkText('userId', options.userId);
    const type = options.type ?? (userId ? 'user' : orgCode ? 'organization' : 'environment');
    if (!KEY_TYPES.includes(type)) throw new TypeError(`KindeEmulator: type must be one of ${KEY_TYPES.join(', ')}`);
    this.#records.set(keyId, {
      keyId,
      name: checkText('name', options.name ?? 'API key'),
      type,
      status: checkText('status', options.status ?? 'active'),
      scopes: checkNames('scopes', options.scopes ?? []),
      orgCode,
      userId,
      apiIds: checkNames('apiIds', options.apiIds ?? [options.apiId ?? this.#defaultApiId]),
      ...endsOf(key),
      createdBy,
      createdAtMs: this.#clock.now(),
      lastVerifiedAtMs: null,
      verificationCount: 0,
    });
    this.#idByKey.set(key, keyId);
    return { keyId, key };
  }

  /** Returns the record of a key id, or `undefined`. Records do not change. */
  get(keyId: string): KindeEmulatorKeyRecord | undefined {
    return this.#records.get(keyId);
  }

  /** Returns all records, oldest first. */
  all(): readonly KindeEmulatorKeyRecord[] {
    return [...this.#records.values()];
  }

  /** Returns the record of a raw key, or `undefined` for an unknown or rotated key. */
  find(key: string): KindeEmulatorKeyRecord | undefined {
    const keyId = this.#idByKey.get(key);
    return keyId === undefined ? undefined : this.#records.get(keyId);
  }

  /** Counts a verification of a key. @returns The updated record. */
  countVerification(keyId: string): KindeEmulatorKeyRecord {
    const { verificationCount } = this.#existing(keyId);
    return this.#change(keyId, { verificationCount: verificationCount + 1, lastVerifiedAtMs: this.#clock.now() });
  }

  /** Gives a key a new secret under the same id. @throws {TypeError} If the id is unknown. */
  rotate(keyId: string): KindeEmulatorKey {
    this.#existing(keyId);
    for (const [key, id] of this.#idByKey) if (id === keyId) this.#idByKey.delete(key);
    const key = newSecret();
    this.#idByKey.set(key, keyId);
    this.#change(keyId, endsOf(key));
    return { keyId, key };
  }

  /** @throws {TypeError} If the id is unknown, or the status is not a string. */
  setStatus(keyId: string, status: string): void {
    this.#change(keyId, { status: checkText('status', status) });
  }

  #existing(keyId: string): KindeEmulatorKeyRecord {
    const record = this.#records.get(keyId);
    if (!record) throw new TypeError(`KindeEmulator: there is no key with the id "${keyId}"`);
    return record;
  }

  #change(keyId: string, changes: Partial<KindeEmulatorKeyRecord>): KindeEmulatorKeyRecord {
    const record = { ...this.#existing(keyId), ...changes };
    this.#records.set(keyId, record);
    return record;
  }
}

function newSecret(): string {
  return `k_live_${randomBytes(24).toString('hex')}`;
}

function endsOf(key: string): { readonly keyPrefix: string; readonly keySuffix: string } {
  return { keyPrefix: key.slice(0, 6), keySuffix: key.slice(-4) };
}
