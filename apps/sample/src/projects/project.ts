import { z } from 'zod';
import { nameSchema } from '../validation.js';

/** A project as the API shows it. */
export const projectSchema = z.object({ id: z.string(), name: z.string(), organizationCode: z.string() });

export type Project = z.infer<typeof projectSchema>;

/** What a caller sends to start a project. The organization is not in it: that comes from the path, and the key must match it. */
export const newProjectSchema = z.strictObject({ name: nameSchema });

export type NewProject = z.infer<typeof newProjectSchema>;
