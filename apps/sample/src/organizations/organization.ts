import { z } from 'zod';

/** An organization as the API shows it, with what it owns. */
export const organizationSchema = z.object({
  code: z.string(),
  name: z.string(),
  users: z.int().min(0),
  projects: z.int().min(0),
});

export type Organization = z.infer<typeof organizationSchema>;
