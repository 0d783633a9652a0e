import type { RateLimitRule } from '../rate-limit/rate-limit-rule.js';
import type { ApiKeyRefusalBody } from '../responses/api-key-refused.exception.js';
import { problemOf } from '../responses/problem-details.filter.js';
import { fieldsOf, isSame, textOf, type ApiDocument, type Fields } from './api-document.js';
import type { OccurringRefusal } from './occurring-refusals.js';
import { headersOf } from './refusal-headers.js';
import { MEDIA_TYPES, referenceTo, type BodyForm } from './refusal-schemas.js';

/** What all answers with a status have in common. */
const MEANINGS: Readonly<Record<number, string>> = {
  400: 'The credential is malformed.',
  401: 'The caller is not authenticated.',
  403: 'The caller is not allowed to do this.',
  404: 'It does not exist, or belongs to another organization.',
  429: 'Too many requests. Try again after the seconds in `Retry-After`.',
  503: 'The credential cannot be verified at the moment. Try again after the seconds in `Retry-After`.',
};

/** How the refusals of an operation are described. */
export interface ResponseOptions {
  readonly document: ApiDocument;
  readonly rateLimit: RateLimitRule | null;
  /** Whether the app answers with `ApiKeyProblemDetailsFilter`. */
  readonly isProblem: boolean;
}

/** Returns the response for all refusals with one status. */
export function responseOf(refusals: readonly OccurringRefusal[], options: ResponseOptions): Fields {
  const isHidden = refusals.every(({ body }) => !('code' in body));
  const form: BodyForm = isHidden ? 'hidden' : options.isProblem ? 'problem' : 'json';
  const examples = refusals.map(({ name, body }) => {
    const value = form === 'problem' ? problemOf(body as unknown as ApiKeyRefusalBody) : body;
    return [isHidden ? 'NOT_FOUND' : name, { value }];
  });
  const meaning = MEANINGS[refusals[0]?.status ?? 0] ?? '';
  const headers = headersOf(refusals, options.rateLimit);
  return {
    description: isHidden ? meaning : `${meaning} Codes: ${refusals.map(({ name }) => `\`${name}\``).join(', ')}.`,
    ...(Object.keys(headers).length > 0 && { headers }),
    content: {
      [MEDIA_TYPES[form]]: {
        schema: referenceTo(form, options.document),
        examples: Object.fromEntries(examples) as Fields,
      },
    },
  };
}

/** Adds a response of ours beside one that the app has documented for the same status. What the app has stated is kept. */
export function mergedResponse(stated: unknown, ours: Fields, document: ApiDocument): unknown {
  if (stated === undefined) return ours;
  const own = resolved(fieldsOf(stated), document);
  if (!own) return stated;
  const description = [textOf(own['description']), textOf(ours['description'])]
    .filter((text) => text !== '')
    .join('\n\n');
  const headers = { ...fieldsOf(ours['headers']), ...fieldsOf(own['headers']) };
  const content = { ...fieldsOf(own['content']) };
  for (const [type, media] of Object.entries(fieldsOf(ours['content'])))
    content[type] = type in content ? mergedMedia(fieldsOf(content[type]), fieldsOf(media)) : media;
  return { ...own, description, ...(Object.keys(headers).length > 0 && { headers }), content };
}

/** One body may have either schema. */
function mergedMedia(own: Fields, ours: Fields): Fields {
  const { example, examples, schema, ...others } = own;
  const isUnstated = Object.keys(fieldsOf(schema)).length === 0 || isSame(schema, ours['schema']);
  return {
    ...others,
    schema: isUnstated ? ours['schema'] : { anyOf: [schema, ours['schema']] },
    examples: {
      ...fieldsOf(ours['examples']),
      ...(example !== undefined && { example: { value: example } }),
      ...fieldsOf(examples),
    },
  };
}

/** Returns a response, also where the app refers to one of the components; `undefined` for a reference that leads elsewhere. */
function resolved(response: Fields, document: ApiDocument): Fields | undefined {
  const reference = response['$ref'];
  if (reference === undefined) return response;
  const [, name = ''] = /^#\/components\/responses\/([^/]+)$/.exec(textOf(reference)) ?? [];
  const found = fieldsOf(fieldsOf(document.components)['responses'])[name];
  return found === undefined ? undefined : resolved(fieldsOf(found), document);
}
