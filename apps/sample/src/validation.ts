import { z } from 'zod';

/** A display name, trimmed. */
export const nameSchema = z
  .string('must be a text')
  .trim()
  .min(1, 'must not be empty')
  .max(80, 'must not be longer than 80 characters');
