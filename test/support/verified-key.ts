import type { VerifiedApiKey } from '../../libs/kinde-api-key/src/api-key/verified-api-key.js';

/** Builds a verified key of an organization. @param fields what the test sets itself */
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
