import { KindeApiKeyMisconfiguredError } from '../../kinde-api-key.errors.js';
import { missingPermission, readClaims, REQUIRED_SCOPE, scopesOf } from '../../kinde/answers/m2m-claims.js';
import { ownField, type WireObject } from '../../kinde/answers/wire.js';
import { ADVICE, WHERE } from '../../kinde/misconfigured.js';
import { VerificationFailure } from '../../kinde/verification-failure.js';
import type { Examination } from '../examination.js';
import { listNames, ok, problem, WAIT, warning, type Finding } from '../finding.js';

/** Mints are billed beyond the plan, so that a shorter life costs, in seconds. */
const SHORT_LIFE_SECONDS = 600;

/** The scopes of the M2M application that optional features need. */
const OPTIONAL_SCOPES: Readonly<Record<string, string>> = {
  'create:api_keys': 'ApiKeysService.create()',
  'update:api_keys': 'ApiKeysService.rotate()',
  'delete:api_keys': 'ApiKeysService.revoke()',
  'read:apis': 'checks of apiId and of scope names; create() without apiId',
  'read:api_scopes': 'scopes in create() with apiId',
};

/** Whether Kinde issues an M2M token, and what the token may do by its own claims. */
export async function checkCredentials(examination: Examination): Promise<readonly Finding[]> {
  const { options } = examination;
  let token: string;
  try {
    token = await examination.mint();
  } catch (error) {
    const isRefused = error instanceof KindeApiKeyMisconfiguredError;
    const advice = isRefused && error.reason ? ADVICE[error.reason] : undefined;
    if (advice) return [problem('CREDENTIALS', `Kinde refuses the M2M application`, advice.means, advice.cure)];
    return [
      problem(
        'REACHABILITY',
        whyNoToken(error, examination),
        'No M2M token can be had now, so that no key can be verified',
        WAIT,
      ),
    ];
  }
  examination.token = token;
  const claims = readClaims(token) ?? {};
  examination.grantedScopes = scopesOf(claims);
  const missing = missingPermission(token, options.audience);
  return [
    ok('CREDENTIALS', `Kinde issues a token to the M2M application ${options.clientId}`),
    missing === 'audience'
      ? problem(
          'TOKEN_AUDIENCE',
          `the token is not for ${options.audience}`,
          ADVICE.audience.means,
          ADVICE.audience.cure,
        )
      : ok('TOKEN_AUDIENCE', `the token is for ${options.audience}`),
    ...(missing === 'audience' ? [] : [scopeFinding(examination.grantedScopes, missing === 'scope')]),
    ...lifetimeFindings(claims),
  ];
}

function whyNoToken(error: unknown, { connection }: Examination): string {
  const isLate = error instanceof VerificationFailure ? error.kind === 'deadline' : error instanceof DOMException;
  if (isLate) return `Kinde did not answer within ${connection.timeoutMs} ms (kinde.timeoutMs)`;
  return error instanceof Error ? error.message : 'the call failed';
}

function scopeFinding(granted: readonly string[], isMissing: boolean): Finding {
  const seen = `scopes of the token: ${listNames(granted)}`;
  if (isMissing) return problem('TOKEN_SCOPES', seen, ADVICE.scope.means, ADVICE.scope.cure);
  const absent = Object.entries(OPTIONAL_SCOPES).filter(([scope]) => !granted.includes(scope));
  const means = absent.map(([scope, feature]) => `without ${scope}: no ${feature}`).join('; ');
  const where = means && `. Grant more in ${WHERE} > APIs > Kinde Management API > Manage scopes, if you need them`;
  return ok('TOKEN_SCOPES', seen, `${REQUIRED_SCOPE} is there${means && `; ${means}`}${where}`);
}

function lifetimeFindings(claims: WireObject): Finding[] {
  const [expiresAt, issuedAt] = [ownField(claims, 'exp'), ownField(claims, 'iat')];
  if (typeof expiresAt !== 'number' || typeof issuedAt !== 'number') return [];
  const seconds = Math.round(expiresAt - issuedAt);
  const seen = `a token lives ${seconds} s`;
  if (seconds >= SHORT_LIFE_SECONDS) return [ok('TOKEN_LIFETIME', seen)];
  const means = 'Every instance mints a token that often, and Kinde bills mints beyond the plan';
  return [warning('TOKEN_LIFETIME', seen, means, `Choose a longer token lifetime in ${WHERE} > Tokens`)];
}
