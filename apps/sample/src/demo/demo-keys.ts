import type { KindeEmulatorKeyOptions } from 'nestjs-kinde-api-key/testing';
import { SCOPES } from '../scopes.js';

/** A key that exists from the start of the emulator. */
interface DemoKey extends KindeEmulatorKeyOptions {
  /** The same at every start, so that the command lines in the README work. Kinde's own keys look like `k_live_…`. */
  readonly key: string;
  /** Owner and permissions of the key. */
  readonly name: string;
}

const ACME = { orgCode: 'org_acme', scopes: SCOPES } as const;
const READ_SCOPES = SCOPES.filter((scope) => scope.startsWith('read:'));
const MANAGER_SCOPES = ['manage:keys', 'read:projects'] as const;

/** Keys to try the API with. */
export const DEMO_KEYS = {
  acme: { ...ACME, key: 'k_demo_acme_every_scope', name: 'organization org_acme, every scope' },
  acmeReadOnly: {
    ...ACME,
    key: 'k_demo_acme_read_only',
    name: 'organization org_acme, read scopes only',
    scopes: READ_SCOPES,
  },
  acmeKeyManager: {
    ...ACME,
    key: 'k_demo_acme_key_manager',
    name: 'organization org_acme, manage:keys and read:projects',
    scopes: MANAGER_SCOPES,
  },
  globex: {
    key: 'k_demo_globex_every_scope',
    name: 'organization org_globex, every scope',
    orgCode: 'org_globex',
    scopes: SCOPES,
  },
  ada: {
    key: 'k_demo_user_ada_lovelace',
    name: 'user kp_ada, every scope, no organization',
    userId: 'kp_ada',
    scopes: SCOPES,
  },
  acmeRevoked: { ...ACME, key: 'k_demo_acme_revoked', name: 'organization org_acme, revoked', status: 'revoked' },
} as const satisfies Record<string, DemoKey>;

export type DemoKeyName = keyof typeof DEMO_KEYS;

/** A well-formed key that the emulator does not know. */
export const UNKNOWN_KEY = 'k_demo_nobody_has_this_one';
