import { ConflictException, ForbiddenException, Injectable, NotFoundException } from '@nestjs/common';
import {
  type ApiKeyDetails,
  ApiKeysService,
  type ApiKeySummary,
  KindeApiKeyManagementError,
  type NewApiKey,
  type VerifiedApiKey,
} from 'nestjs-kinde-api-key';
import type { ApiKey, NewApiKeyBody } from './api-key.js';

/**
 * The keys of one organization. `ApiKeysService` may change every key of the Kinde environment, so the limits are here: keys that belong to
 * the organization itself, and secrets only of keys that may do no more than the caller's.
 */
@Injectable()
export class OrganizationKeysService {
  /** Which API of the Kinde environment this is. Unset where it is the only one. */
  private readonly apiId = process.env.KINDE_API_ID;

  constructor(private readonly apiKeys: ApiKeysService) {}

  /** Returns the keys of an organization, revoked ones included. */
  async list(orgCode: string): Promise<ApiKey[]> {
    const keys: ApiKey[] = [];
    for await (const key of this.apiKeys.list({ orgCode, type: 'organization' }))
      if (this.isManaged(key)) keys.push(shownOf(key));
    return keys;
  }

  /**
   * Creates a key of an organization.
   *
   * @throws {ForbiddenException} if it would have a scope that the caller's key lacks
   */
  create(caller: VerifiedApiKey, orgCode: string, { name, scopes }: NewApiKeyBody): Promise<NewApiKey> {
    checkScopes(caller, scopes);
    return this.apiKeys.create({ name, scopes, owner: { orgCode } });
  }

  /**
   * Gives a key a new secret. The caller learns it, so a rotation is limited like a creation.
   *
   * @throws {NotFoundException} if the organization has no key with this id
   * @throws {ForbiddenException} if the key has a scope that the caller's key lacks
   * @throws {ConflictException} if the key is revoked
   */
  async rotate(caller: VerifiedApiKey, orgCode: string, keyId: string): Promise<NewApiKey> {
    const { scopes, status } = await this.find(orgCode, keyId);
    checkScopes(caller, scopes);
    if (status === 'revoked') throw new ConflictException('A revoked key cannot be rotated. Create a new one');
    return this.apiKeys.rotate(keyId);
  }

  /**
   * Revokes a key for good.
   *
   * @throws {NotFoundException} if the organization has no key with this id
   */
  async revoke(orgCode: string, keyId: string): Promise<void> {
    await this.find(orgCode, keyId);
    await this.apiKeys.revoke(keyId);
  }

  /** Asks Kinde whose key this is: the id comes from the client. Keys of others, and of users, are not found, like an unknown id. */
  private async find(orgCode: string, keyId: string): Promise<ApiKeyDetails> {
    const key = await this.apiKeys.get(keyId).catch(undefinedIfUnknown);
    if (key && key.orgCode === orgCode && this.isManaged(key)) return key;
    throw new NotFoundException('The organization has no key with this id');
  }

  /** A user's key of this organization is the user's. A key of another API has scopes whose names mean something else. */
  private isManaged({ ownerType, apiIds }: ApiKeySummary): boolean {
    return ownerType === 'organization' && (!this.apiId || apiIds.includes(this.apiId));
  }
}

/** A key that could pass on more than it has would have every scope. */
function checkScopes({ scopes }: VerifiedApiKey, wanted: readonly string[]): void {
  if (wanted.every((scope) => scopes.includes(scope))) return;
  throw new ForbiddenException('A key cannot have scopes that your own key lacks');
}

/** A text that is not an id of a key is not found either. */
function undefinedIfUnknown(error: unknown): undefined {
  const isUnknown = error instanceof KindeApiKeyManagementError && ['NOT_FOUND', 'INVALID_INPUT'].includes(error.code);
  if (!isUnknown) throw error;
}

function shownOf(key: ApiKeySummary): ApiKey {
  const { keyId, name, status, keyPrefix, keySuffix, scopes, createdOn, lastVerifiedOn } = key;
  return { keyId, name, status, keyPrefix, keySuffix, scopes: [...scopes], createdOn, lastVerifiedOn };
}
