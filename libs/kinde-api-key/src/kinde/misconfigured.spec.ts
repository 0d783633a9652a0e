import { misconfigured, type Misconfiguration } from './misconfigured.js';

const APPLICATION = 'Kinde > Settings > Applications > (the M2M application)';

describe('misconfigured', () => {
  it.each<[Misconfiguration, string, string]>([
    ['invalid_client', 'the client id or the client secret is wrong', `with ${APPLICATION} > Details`],
    [
      'unauthorized_client',
      'may not use the Kinde Management API',
      `Authorize the Kinde Management API in ${APPLICATION}`,
    ],
    ['invalid_scope', 'was refused a scope', `in ${APPLICATION} > APIs > Kinde Management API > Manage scopes`],
    ['invalid_request', 'usually because of the audience', "Check that 'domain' is the .kinde.com domain"],
    ['audience', 'its audience is another one. ', `Authorize the Kinde Management API in ${APPLICATION} > APIs`],
    ['scope', 'lacks the scope', `Grant it in ${APPLICATION} > APIs > Kinde Management API > Manage scopes`],
  ])('says what to fix in Kinde, and where, for %s', (what, problem, cure) => {
    const error = misconfigured(what, 10);
    expect(error).toMatchObject({ code: 'VERIFICATION_MISCONFIGURED', retryAfterSeconds: 10 });
    expect(error.message).toContain(problem);
    expect(error.message).toContain(cure);
  });
});
