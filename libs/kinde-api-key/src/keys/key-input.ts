import type { ApiKeyOwnerType } from '../api-key/verified-api-key.js';
import { KindeApiKeyManagementError } from '../kinde-api-key.errors.js';
import { isWireObject, ownField, type WireObject } from '../kinde/answers/wire.js';

/** What a new key belongs to: an organization, a user, or the whole Kinde environment. */
export type ApiKeyOwner = { readonly orgCode: string } | { readonly userId: string } | 'environment';

/** A key to create. */
export interface NewApiKeyInput {
  /** For people, 1 to 255 characters. */
  readonly name: string;
  /** The registered API that the key is for. Default: the option `apiId`, else the environment's only API. */
  readonly apiId?: string | undefined;
  /** Names of scopes of this API, at most 100. They cannot be changed later. Default: none. */
  readonly scopes?: readonly string[] | undefined;
  readonly owner: ApiKeyOwner;
}

/** Which keys to list. Default: all. */
export interface ApiKeyFilter {
  readonly orgCode?: string;
  readonly userId?: string;
  readonly status?: 'active' | 'inactive' | 'revoked' | undefined;
  readonly type?: 'organization' | 'user' | undefined;
}

/** A key to create, checked. `owner` holds the fields of Kinde's request. */
export interface CheckedInput {
  readonly name: string;
  readonly apiId: string | undefined;
  readonly scopes: readonly string[];
  readonly owner: { readonly type: ApiKeyOwnerType; readonly org_code?: string; readonly user_id?: string };
}

const MAX_TEXT = 255;
const MAX_SCOPES = 100;
const MAX_DAYS = 36_500;
/** RFC 6749, section 3.3. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/;
const API_ID = 'the id of a registered API, from Kinde > Settings > APIs';
const ID = /^[A-Za-z0-9_.~-]{1,255}$/;
const OWNER_FORMS = "owner must be { orgCode: '…' }, { userId: '…' } or 'environment'";

/** @throws {KindeApiKeyManagementError} INVALID_INPUT, and never repeats a value: it could be a raw key that was passed by mistake */
export function checkInput(input: unknown): CheckedInput {
  const fields = checkFields('create()', input, ['name', 'apiId', 'scopes', 'owner']);
  const name = ownField(fields, 'name');
  if (typeof name !== 'string' || name.trim() === '' || name.length > MAX_TEXT)
    throw invalidInput(`name must be a text of 1 to ${MAX_TEXT} characters, for people to recognize the key`);
  const apiId = optionalText(fields, 'apiId', API_ID);
  if (apiId !== undefined && !isId(apiId)) throw invalidInput(`apiId must be ${API_ID}`);
  return {
    name,
    apiId,
    scopes: checkScopes(ownField(fields, 'scopes') ?? []),
    owner: checkOwner(ownField(fields, 'owner')),
  };
}

/** Returns the query of a list of keys. @throws {KindeApiKeyManagementError} INVALID_INPUT */
export function checkFilter(filter: unknown): Readonly<Record<string, string>> {
  const fields = checkFields('list()', filter, ['orgCode', 'userId', 'status', 'type']);
  // An absent parameter of a request must not list the keys of every customer.
  for (const name of ['orgCode', 'userId'])
    if (name in fields && ownField(fields, name) === undefined)
      throw invalidInput(`${name} is undefined. To list the keys of every owner, leave it out`);
  const wire = {
    org_code: optionalText(fields, 'orgCode', 'the code of an organization'),
    user_id: optionalText(fields, 'userId', 'the id of a user'),
    status: optionalWord(fields, 'status', ['active', 'inactive', 'revoked']),
    key_type: optionalWord(fields, 'type', ['organization', 'user']),
  };
  return Object.fromEntries(
    Object.entries(wire).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Returns the id, which stands in paths as it is. @throws {KindeApiKeyManagementError} INVALID_INPUT */
export function checkKeyId(keyId: unknown): string {
  if (isId(keyId)) return keyId;
  throw invalidInput("keyId must be the id of a key, e.g. 'api_key_…', and not the key itself");
}

/** Whether a value can be an id of Kinde. Anything else could lead to another resource, also where a proxy decodes what was encoded. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value) && !/^\.+$/.test(value);
}

/** @throws {KindeApiKeyManagementError} INVALID_INPUT */
export function checkDays(days: unknown): number {
  if (typeof days === 'number' && days > 0 && days <= MAX_DAYS) return days;
  throw invalidInput(`days must be a number above 0, at most ${MAX_DAYS}`);
}

/** Returns the error for a wrong argument. */
export function invalidInput(message: string): KindeApiKeyManagementError {
  return new KindeApiKeyManagementError('INVALID_INPUT', message);
}

function checkScopes(scopes: unknown): readonly string[] {
  if (!Array.isArray(scopes)) throw invalidInput("scopes must be an array of scope names, e.g. ['read:users']");
  if (scopes.length > MAX_SCOPES) throw invalidInput(`scopes must have at most ${MAX_SCOPES} names`);
  const names = Array.from(scopes as unknown[]);
  const wrong = names.findIndex((name) => typeof name !== 'string' || !SCOPE_TOKEN.test(name));
  if (wrong >= 0) throw invalidInput(`scopes[${wrong}] is not the name of a scope: write one name per element`);
  return [...new Set(names as string[])];
}

function checkOwner(owner: unknown): CheckedInput['owner'] {
  if (owner === 'environment') return { type: 'environment' };
  if (!isWireObject(owner) || Object.keys(owner).length !== 1) throw invalidInput(OWNER_FORMS);
  const orgCode = optionalText(owner, 'orgCode', 'the code of an organization');
  if (orgCode !== undefined) return { type: 'organization', org_code: orgCode };
  const userId = optionalText(owner, 'userId', 'the id of a user');
  if (userId !== undefined) return { type: 'user', user_id: userId };
  throw invalidInput(OWNER_FORMS);
}

/** Rejects unknown fields: with a misspelt name of a field, a key would get another owner or other scopes than the caller wants. */
function checkFields(method: string, value: unknown, names: readonly string[]): WireObject {
  if (!isWireObject(value)) throw invalidInput(`${method} takes an object with ${names.join(', ')}`);
  if (Object.keys(value).some((name) => !names.includes(name)))
    throw invalidInput(`${method} takes an object with ${names.join(', ')} and no other fields`);
  return value;
}

function optionalText(fields: WireObject, name: string, what: string): string | undefined {
  const value = ownField(fields, name);
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.trim() !== '' && value.length <= MAX_TEXT) return value;
  throw invalidInput(`${name} must be ${what}`);
}

function optionalWord(fields: WireObject, name: string, words: readonly string[]): string | undefined {
  const value = ownField(fields, name);
  if (value === undefined || words.includes(value as string)) return value as string | undefined;
  throw invalidInput(`${name} must be one of ${words.map((word) => `'${word}'`).join(', ')}`);
}
