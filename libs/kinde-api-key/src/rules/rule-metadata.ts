import { isBudgetName } from '../config/rate-limit-options.js';
import { isOrganizationTarget, type OrganizationTarget } from './org-target.js';

/** What a decorator says about the callers that may call a handler. Such metadata adds up. */
export type AccessMetadata =
  | { readonly kind: 'public' }
  | { readonly kind: 'any-valid-key' }
  | { readonly kind: 'scopes'; readonly scopes: readonly string[] }
  | { readonly kind: 'any-scope'; readonly scopes: readonly string[] }
  | { readonly kind: 'organization'; readonly target: OrganizationTarget | undefined }
  | { readonly kind: 'user' }
  | { readonly kind: 'keys-only' }
  | { readonly kind: 'fresh-verification'; readonly maxAgeMs: number };

/** What `@RateLimit()` and `@SkipRateLimit()` say. It is not a decision about access, and the nearest replaces all others. */
export type RateLimitMetadata =
  | { readonly kind: 'rate-limit'; readonly limit: number; readonly windowMs: number; readonly name?: string }
  | { readonly kind: 'skip-rate-limit' };

/** What one decorator says about a class or a method. */
export type RuleMetadata = AccessMetadata | RateLimitMetadata;

/** The metadata of a class or a method that takes effect, inherited metadata included. */
export interface EffectiveMetadata {
  /** All of it: of ancestors and overridden methods first, then from top to bottom as written. */
  readonly access: readonly AccessMetadata[];
  /** That of the nearest class or method with any. More than one entry is a contradiction. */
  readonly rateLimits: readonly RateLimitMetadata[];
}

/** The metadata that reaches a handler. */
export type HandlerMetadata = Readonly<Record<'ofClass' | 'ofMethod', EffectiveMetadata>>;

/** Whether metadata is about rate limits, and not about access. */
export function isRateLimitMetadata(metadata: RuleMetadata): metadata is RateLimitMetadata {
  return metadata.kind === 'rate-limit' || metadata.kind === 'skip-rate-limit';
}

const DECORATORS: Readonly<Record<RuleMetadata['kind'], string>> = {
  public: '@PublicRoute',
  'any-valid-key': '@AnyValidKey',
  scopes: '@RequireScopes',
  'any-scope': '@RequireAnyScope',
  organization: '@OrgScoped',
  user: '@UserScoped',
  'keys-only': '@KeysOnly',
  'fresh-verification': '@RequireFreshVerification',
  'rate-limit': '@RateLimit',
  'skip-rate-limit': '@SkipRateLimit',
};

type Fields = Readonly<Record<string, unknown>>;

/** The other fields of each kind, and whether they are readable. A field that is not listed may say what this copy cannot enforce. */
const FIELDS: Readonly<Record<RuleMetadata['kind'], Readonly<Record<string, (value: unknown) => boolean>>>> = {
  public: {},
  'any-valid-key': {},
  scopes: { scopes: isScopeList },
  'any-scope': { scopes: isScopeList },
  organization: { target: isOrganizationTarget },
  user: {},
  'keys-only': {},
  'fresh-verification': { maxAgeMs: (value) => Number.isInteger(value) && (value as number) >= 0 },
  'rate-limit': { limit: isCount, windowMs: isCount, name: (value) => value === undefined || isBudgetName(value) },
  'skip-rate-limit': {},
};

/** Whether this copy of the library can enforce metadata. A newer copy in the same process may have stored it. */
export function isEnforceable(metadata: RuleMetadata): boolean {
  const { kind, ...fields } = metadata as { readonly kind: RuleMetadata['kind'] } & Fields;
  const known = Object.hasOwn(FIELDS, kind) ? FIELDS[kind] : undefined;
  if (!known) return false;
  return [...Object.keys(known), ...Object.keys(fields)].every((name) => {
    return Object.hasOwn(known, name) && known[name]?.(fields[name]) === true;
  });
}

/** Returns stored metadata as a list. What has another shape is kept, as metadata that {@link isEnforceable} refuses. */
export function metadataList(stored: unknown): readonly RuleMetadata[] {
  const list: readonly unknown[] = Array.isArray(stored) ? stored : stored === undefined ? [] : [stored];
  return list.map((one) => (typeof one === 'object' && one !== null ? one : UNREADABLE) as RuleMetadata);
}

const UNREADABLE = Object.freeze({ kind: 'unreadable' });

function isScopeList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((scope) => typeof scope === 'string');
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) > 0;
}

/** Returns the decorator of metadata without its arguments, e.g. `@RequireScopes()`. */
export function decoratorOf({ kind }: Pick<RuleMetadata, 'kind'>): string {
  return `${DECORATORS[kind]}()`;
}

/** Returns the decorator as written in the source, for messages. */
export function describeRule(metadata: RuleMetadata): string {
  if (!isEnforceable(metadata)) return `a rule of the kind ${JSON.stringify(metadata.kind) ?? 'undefined'}`;
  if (metadata.kind === 'scopes' || metadata.kind === 'any-scope')
    return `${DECORATORS[metadata.kind]}(${metadata.scopes.map((scope) => `'${scope}'`).join(', ')})`;
  if (metadata.kind === 'rate-limit') {
    const { limit, windowMs, name } = metadata;
    return `@RateLimit({ limit: ${limit}, windowMs: ${windowMs}${name === undefined ? '' : `, name: '${name}'`} })`;
  }
  if (metadata.kind === 'fresh-verification') return `@RequireFreshVerification({ maxAgeMs: ${metadata.maxAgeMs} })`;
  return decoratorOf(metadata);
}
