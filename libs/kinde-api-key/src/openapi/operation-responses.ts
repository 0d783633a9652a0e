import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import { addComponent, fieldsOf, type Fields } from './api-document.js';
import type { MatchedOperation, RouteOfApi } from './matched-operations.js';
import { refusalsOf, type OccurringRefusal } from './occurring-refusals.js';
import { rateLimitHeaders } from './refusal-headers.js';
import { mergedResponse, responseOf, type ResponseOptions } from './refusal-responses.js';

/** Answers that are the same for all operations of a registration: the document holds them once. */
const SHARED: ReadonlySet<number> = new Set([400, 401, 503]);

/** Returns the responses of an operation: those that the app has documented, with those to refused requests. */
export function responsesOf(
  matched: MatchedOperation,
  guarded: readonly RouteOfApi[],
  options: Omit<ResponseOptions, 'rateLimit'>,
): Fields {
  const rateLimit = guarded.map(({ route }) => route.rule.rateLimit).find((limit) => limit !== null) ?? null;
  const stated = fieldsOf(matched.operation['responses']);
  const responses: Record<string, unknown> = { ...stated };
  for (const [status, refusals] of refusalsByStatus(matched, guarded)) {
    const ours = responseOf([...refusals.values()], { ...options, rateLimit });
    const isShared = SHARED.has(status) && stated[status] === undefined;
    responses[status] = isShared
      ? {
          $ref: `#/components/responses/${addComponent(options.document, 'responses', `ApiKeyRefused${status}`, ours)}`,
        }
      : mergedResponse(stated[status], ours, options.document);
  }
  return rateLimit?.sendsHeadersOnSuccess ? withRateLimit(responses, stated, rateLimit) : responses;
}

function refusalsByStatus(
  matched: MatchedOperation,
  guarded: readonly RouteOfApi[],
): ReadonlyMap<number, ReadonlyMap<string, OccurringRefusal>> {
  const byStatus = new Map<number, Map<string, OccurringRefusal>>();
  for (const refusal of guarded.flatMap((one) => refusalsOf(one, matched))) {
    const known = byStatus.get(refusal.status) ?? new Map<string, OccurringRefusal>();
    if (!known.has(refusal.name)) byStatus.set(refusal.status, known.set(refusal.name, refusal));
  }
  return byStatus;
}

/** Adds the headers of a rate limit to the app's own answers to accepted requests. */
function withRateLimit(responses: Fields, stated: Fields, rateLimit: RateLimitRule): Fields {
  const accepted = Object.entries(stated).filter(([status]) => /^[23]/.test(status));
  const described = accepted.map(([status, response]) => {
    const headers = { ...rateLimitHeaders(rateLimit, true), ...fieldsOf(fieldsOf(response)['headers']) };
    return [status, '$ref' in fieldsOf(response) ? response : { ...fieldsOf(response), headers }];
  });
  return { ...responses, ...(Object.fromEntries(described) as Fields) };
}
