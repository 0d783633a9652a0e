import { newUserSchema, userChangesSchema } from './user.js';

/** @returns the messages in the form in which Nest's pipe shows them */
function problemsOf(schema: typeof newUserSchema | typeof userChangesSchema, body: unknown): string[] {
  return (schema.safeParse(body).error?.issues ?? []).map(({ path, message }) => [...path, message].join(': '));
}

describe('the user schemas', () => {
  it('say everything that is wrong with a new user', () => {
    expect(problemsOf(newUserSchema, { name: ' ', email: 'ada', admin: true })).toEqual([
      'name: must not be empty',
      'email: must be an e-mail address',
      'Unrecognized key: "admin"',
    ]);
  });

  it('say what is missing', () => {
    expect(problemsOf(newUserSchema, {})).toEqual(['name: must be a text', 'email: must be an e-mail address']);
  });

  it('take a part of a user as changes, but not nothing', () => {
    expect(userChangesSchema.parse({ name: ' Ada ' })).toEqual({ name: 'Ada' });
    expect(problemsOf(userChangesSchema, {})).toEqual(['nothing to change: send a name, an email, or both']);
  });

  it('do not let a caller move a user to another organization', () => {
    expect(problemsOf(userChangesSchema, { organizationCode: 'org_globex' })).toContain(
      'Unrecognized key: "organizationCode"',
    );
  });
});
