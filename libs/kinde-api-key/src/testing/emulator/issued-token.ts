import { type Application, MANAGEMENT_SCOPES } from './applications.js';
import { checkNames, checkOptionNames, checkText } from './checks.js';
import type { EmulatedKinde } from './emulated-kinde.js';

/** Contents of a token from `issueToken()`. */
export interface KindeEmulatorTokenOptions {
  /** Default: the scopes of the Management API, or none for a user's token. */
  readonly scopes?: readonly string[] | undefined;
  /** Default: the Management API, `<domain>/api`, or the audience of the emulator's `apiId` for a user's token. */
  readonly audience?: string | readonly string[] | undefined;
  /** Seconds from now by the emulator's clock. Negative for an expired token. Default 86,400. */
  readonly lifetimeSeconds?: number | undefined;
  /** Organization, the claim `org_code`. Default `null`: no claim. */
  readonly orgCode?: string | null | undefined;
  /** User, the claim `sub`, which makes it a user's token. Default `null`: an M2M token. */
  readonly userId?: string | null | undefined;
  /** Application, the claim `azp`. Default: the first M2M application. */
  readonly clientId?: string | undefined;
  /** Further claims, e.g. `permissions`. They replace claims of the same name; `undefined` removes one. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

const OPTION_NAMES = ['scopes', 'audience', 'lifetimeSeconds', 'orgCode', 'userId', 'clientId', 'claims'];

/** Issues a token without a request. @throws {TypeError} If an option is unknown or not valid. */
export function issueToken(kinde: EmulatedKinde, application: Application, options: KindeEmulatorTokenOptions): string {
  checkOptionNames('token', options, OPTION_NAMES);
  const { userId = null, orgCode = null, lifetimeSeconds = 86_400, claims = {} } = options;
  if (!Number.isSafeInteger(lifetimeSeconds)) {
    throw new TypeError(`KindeEmulator: lifetimeSeconds must be an integer, got ${String(lifetimeSeconds)}`);
  }
  const [management = '', api = ''] = [kinde.managementAudiences[0], kinde.apis.get(kinde.apis.defaultApiId)?.audience];
  return kinde.tokens.issue({
    clientId: checkText('clientId', options.clientId ?? application.clientId),
    audience: checkNames('audience', [options.audience ?? (userId === null ? management : api)].flat()),
    scopes: checkNames('scopes', options.scopes ?? (userId === null ? MANAGEMENT_SCOPES : [])),
    lifetimeSeconds,
    orgCode: orgCode === null ? null : checkText('orgCode', orgCode),
    userId: userId === null ? null : checkText('userId', userId),
    claims,
  });
}
