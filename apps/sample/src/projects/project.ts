import { z } from 'zod';
import { nameSchema } from '../validation.js';

/** A project in the API. */
export const projectSchema = z.object({ id: z.string(), name: z.string(), organizationCode: z.string() });

export type Project = z.infer<typeof projectSchema>;

/** Body for a new project. The organization comes from the path and must match the key. */
export const newProjectSchema = z.strictObject({ name: nameSchema }).meta({ examples: [{ name: 'Mercury' }] });

export type NewProject = z.infer<typeof newProjectSchema>;
