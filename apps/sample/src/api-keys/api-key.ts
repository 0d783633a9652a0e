import { z } from 'zod';
import { nameSchema } from '../validation.js';

/** An API key of an organization, without its secret. */
export const apiKeySchema = z.object({
  keyId: z.string(),
  name: z.string().nullable(),
  status: z.string(),
  keyPrefix: z.string().nullable(),
  keySuffix: z.string().nullable(),
  scopes: z.array(z.string()),
  createdOn: z.string().nullable(),
  lastVerifiedOn: z.string().nullable(),
});

export type ApiKey = z.infer<typeof apiKeySchema>;

/** Body for a new key. It has no owner: that is the organization in the path, which the guard compares with the caller's key. */
export const newApiKeySchema = z
  .strictObject({
    name: nameSchema,
    scopes: z
      .array(z.string('must be a text'), 'must be a list of scopes')
      .max(100, 'must not have more than 100 scopes'),
  })
  .meta({ examples: [{ name: 'CI', scopes: ['read:projects'] }] });

export type NewApiKeyBody = z.infer<typeof newApiKeySchema>;

/** A new or rotated key. This answer is the only one that has the secret. */
export const createdApiKeySchema = z.object({ keyId: z.string(), key: z.string() });
