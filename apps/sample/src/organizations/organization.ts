import { z } from 'zod';

/** An organization in the API, with the number of its users and projects. */
export const organizationSchema = z.object({
  code: z.string(),
  name: z.string(),
  users: z.int().min(0),
  projects: z.int().min(0),
});

export type Organization = z.infer<typeof organizationSchema>;
