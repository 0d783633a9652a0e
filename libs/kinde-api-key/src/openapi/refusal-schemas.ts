import { ANSWERS } from '../responses/answers.js';
import type { ApiKeyRefusalBody } from '../responses/api-key-refused.exception.js';
import { addComponent, type ApiDocument, type Fields } from './api-document.js';

/** The forms of a refusal's body. `hidden`: what the option `hideExistence` answers like a missing route. */
export type BodyForm = 'json' | 'problem' | 'hidden';

/** The media type of each form. Filters do not see what is hidden as a refusal. */
export const MEDIA_TYPES: Readonly<Record<BodyForm, string>> = {
  json: 'application/json',
  problem: 'application/problem+json',
  hidden: 'application/json',
};

const text = (description: string): Fields => ({ type: 'string', description });
const scopes: Fields = { type: 'array', items: { type: 'string' } };

/** Every member of a body. One that is missing here does not compile. */
const MEMBERS: Readonly<Record<keyof ApiKeyRefusalBody | 'hint', Fields>> = {
  statusCode: { type: 'integer', description: 'The HTTP status' },
  error: text('The status in words'),
  message: text('For people. Branch on the code instead'),
  code: {
    type: 'string',
    description: 'Stable, for programs to branch on',
    enum: [...new Set(Object.values(ANSWERS).map(({ code }) => code))],
  },
  hint: text('What to do about it'),
  required_scopes: { ...scopes, description: 'All scopes that the route requires' },
  required_any_of: { type: 'array', items: scopes, description: 'Lists of scopes, of which one each is required' },
};

const { statusCode, error, message, ...ADDED } = MEMBERS;

const SCHEMAS: Readonly<Record<BodyForm, readonly [name: string, schema: Fields]>> = {
  json: [
    'ApiKeyRefusal',
    { type: 'object', required: ['statusCode', 'error', 'message', 'code'], properties: MEMBERS },
  ],
  problem: [
    'ApiKeyProblem',
    {
      type: 'object',
      description: 'Problem details, RFC 9457',
      required: ['type', 'title', 'status', 'detail', 'code'],
      properties: { type: { type: 'string' }, title: error, status: statusCode, detail: message, ...ADDED },
    },
  ],
  hidden: [
    'ApiKeyNotFound',
    { type: 'object', required: ['statusCode', 'message'], properties: { statusCode, message, error } },
  ],
};

/** Adds the schema of a form to the components, and returns a reference to it. */
export function referenceTo(form: BodyForm, document: ApiDocument): Fields {
  const [name, schema] = SCHEMAS[form];
  return { $ref: `#/components/schemas/${addComponent(document, 'schemas', name, schema)}` };
}
