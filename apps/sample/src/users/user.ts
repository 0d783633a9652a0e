import { z } from 'zod';
import { nameSchema } from '../validation.js';

/** A user in the API. */
export const userSchema = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  organizationCode: z.string().nullable(),
});

export type User = z.infer<typeof userSchema>;

const emailSchema = z.email('must be an e-mail address');

const userFields = z.strictObject({ name: nameSchema, email: emailSchema });

/** Body for a new user of an organization. */
export const newUserSchema = userFields.meta({
  examples: [{ name: 'Alan Turing', email: 'alan@acme.example' }],
});

export type NewUser = z.infer<typeof newUserSchema>;

/** Body for changes to a user, with at least one field. */
export const userChangesSchema = userFields
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'nothing to change: send a name, an email, or both')
  .meta({ examples: [{ name: 'Ada King' }] });

export type UserChanges = z.infer<typeof userChangesSchema>;
