import { KindeApiKeyMisconfiguredError } from '../kinde-api-key.errors.js';
import type { OAuthRefusal } from './answers/m2m-answer.js';
import { REQUIRED_SCOPE, type MissingPermission } from './answers/m2m-claims.js';

/** What is wrong with our M2M application. It has to be fixed in Kinde: waiting does not help. */
export type Misconfiguration = OAuthRefusal | MissingPermission;

/** Menu path of the M2M application. */
export const WHERE = 'Kinde > Settings > Applications > (the M2M application)';

/** Where the domain of the environment is shown. */
export const DOMAIN_MENU = 'Kinde > Settings > Environment > Details';

/** What a misconfiguration means, and what to change where. */
export interface Advice {
  readonly means: string;
  readonly cure: string;
}

/** What is wrong and where to fix it (Kinde's M2M troubleshooting page). Kinde's own description is never repeated: it may echo secrets. */
export const ADVICE: Readonly<Record<Misconfiguration, Advice>> = {
  invalid_client: {
    means:
      'Kinde does not know the M2M credentials (invalid_client): the client id or the client secret is wrong, the secret was rotated, or ' +
      'the application was deleted',
    cure: `Compare KINDE_MANAGEMENT_CLIENT_ID and KINDE_MANAGEMENT_CLIENT_SECRET with ${WHERE} > Details, and KINDE_DOMAIN with ${DOMAIN_MENU}`,
  },
  unauthorized_client: {
    means: 'The M2M application may not use the Kinde Management API (unauthorized_client)',
    cure: `Authorize the Kinde Management API in ${WHERE} > APIs, and check that 'audience' is the audience shown there`,
  },
  invalid_scope: {
    means: 'The M2M application was refused a scope (invalid_scope)',
    cure: `Grant ${REQUIRED_SCOPE} in ${WHERE} > APIs > Kinde Management API > Manage scopes`,
  },
  invalid_request: {
    means: 'Kinde does not understand the request for an M2M token (invalid_request), usually because of the audience',
    cure: "Check that 'domain' is the .kinde.com domain and that 'audience' is the one of the Kinde Management API in Kinde > Settings > APIs",
  },
  audience: {
    means: 'The M2M token is not for the Kinde Management API: its audience is another one',
    cure: `Authorize the Kinde Management API in ${WHERE} > APIs, and check that 'audience' is the audience shown there`,
  },
  scope: {
    means: `The M2M token lacks the scope ${REQUIRED_SCOPE}`,
    cure: `Grant it in ${WHERE} > APIs > Kinde Management API > Manage scopes`,
  },
};

/** Returns what to do if a scope of Kinde's Management API is missing. */
export function grantingOf(scope: string): string {
  return `Grant it in ${WHERE} > APIs > Kinde Management API > Manage scopes (${scope})`;
}

/** Returns the error that says what to change and where. The library will have asked Kinde again after `retryAfterSeconds`. */
export function misconfigured(what: Misconfiguration, retryAfterSeconds: number): KindeApiKeyMisconfiguredError {
  const { means, cure } = ADVICE[what];
  return new KindeApiKeyMisconfiguredError(`${means}. ${cure}`, { retryAfterSeconds, reason: what });
}
