import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import { acceptsOthers, acceptsTokens, choicesOf } from './accepted-callers.js';
import type { Fields } from './api-document.js';
import type { RouteOfApi } from './matched-operations.js';

/** Returns what a guarded route demands, for programs. */
export function accessRule({ route: { rule } }: RouteOfApi): Fields {
  const { access, rateLimit } = rule;
  return {
    scopes: access.requiredScopes,
    anyOf: choicesOf(access),
    ...(rateLimit && {
      rateLimit: { limit: typeof rateLimit.limit === 'number' ? rateLimit.limit : null, windowMs: rateLimit.windowMs },
    }),
  };
}

/** Says what a guarded route demands of its callers, for the description of an operation. */
export function accessText({ api, route: { rule } }: RouteOfApi): string {
  const { access, organizations, rateLimit, maxAgeMs } = rule;
  const others = access.needsKey
    ? []
    : [
        ...(acceptsTokens(api.options) ? ['an access token'] : []),
        ...(acceptsOthers(api.options) ? ['another login'] : []),
      ];
  const caller = ['an API key', ...others].join(', ').replace(/, ([^,]*)$/, ' or $1');
  const all = access.requiredScopes.map(code).join(', ');
  const scopes = [
    ...(all === '' ? [] : [`the scope${access.requiredScopes.length > 1 ? 's' : ''} ${all}`]),
    ...choicesOf(access).map((list) => `one of the scopes ${list.map(code).join(', ')}`),
  ];
  const sentences = [
    `Requires ${caller}${scopes.length > 0 ? ` with ${scopes.join(', and ')}` : ''}.`,
    ...(organizations.length > 0
      ? ['It must belong to the organization that the request is about.']
      : access.needsOrganization
        ? ['It must belong to an organization.']
        : []),
    ...(access.needsUser ? ['It must belong to a user.'] : []),
    ...(maxAgeMs === null ? [] : [freshnessText(maxAgeMs)]),
    ...(rateLimit ? [limitText(rateLimit)] : []),
  ];
  return sentences.join(' ');
}

function freshnessText(maxAgeMs: number): string {
  return maxAgeMs === 0
    ? 'A key is verified anew with every request.'
    : `A key is verified anew after ${seconds(maxAgeMs)}.`;
}

function limitText({ limit, windowMs }: RateLimitRule): string {
  if (typeof limit !== 'number') return `The number of requests of each caller in any ${seconds(windowMs)} is limited.`;
  return `At most ${limit} requests of each caller in any ${seconds(windowMs)}.`;
}

function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}

function code(text: string): string {
  return `\`${text}\``;
}
