import type { VerifiedApiKey } from '../../libs/kinde-api-key/src/api-key/verified-api-key.js';

/** @returns what Kinde says about a key of an organization, but for the fields that the test has an opinion about */
export function verifiedKey(fields: Partial<VerifiedApiKey> = {}): VerifiedApiKey {
  return {
    keyId: 'api_key_1',
    scopes: ['read:users'],
    orgCode: 'org_a',
    userId: null,
    ownerType: 'organization',
    lastVerifiedOn: null,
    verificationCount: 1,
    ...fields,
  };
}
