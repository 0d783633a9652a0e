import { newUserSchema, userChangesSchema } from './user.js';

/** Returns the messages as Nest's pipe shows them. */
function problemsOf(schema: typeof newUserSchema | typeof userChangesSchema, body: unknown): string[] {
  return (schema.safeParse(body).error?.issues ?? []).map(({ path, message }) => [...path, message].join(': '));
}

describe('the user schemas', () => {
  it('report every error in a new user', () => {
    expect(problemsOf(newUserSchema, { name: ' ', email: 'ada', admin: true })).toEqual([
      'name: must not be empty',
      'email: must be an e-mail address',
      'Unrecognized key: "admin"',
    ]);
  });

  it('report missing fields', () => {
    expect(problemsOf(newUserSchema, {})).toEqual(['name: must be a text', 'email: must be an e-mail address']);
  });

  it('accept some fields as changes, but not an empty body', () => {
    expect(userChangesSchema.parse({ name: ' Ada ' })).toEqual({ name: 'Ada' });
    expect(problemsOf(userChangesSchema, {})).toEqual(['nothing to change: send a name, an email, or both']);
  });

  it('reject a change of the organization', () => {
    expect(problemsOf(userChangesSchema, { organizationCode: 'org_globex' })).toContain(
      'Unrecognized key: "organizationCode"',
    );
  });
});
