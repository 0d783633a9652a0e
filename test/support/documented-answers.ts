import { DOCUMENTED_SCOPES } from './documented-app.js';
import type { Answer } from './http.js';
import type { Scenario } from './scenario.js';

/** An operation of a document. */
export interface DocumentedOperation {
  readonly path: string;
  readonly method: string;
  readonly responses: Readonly<Record<string, DocumentedResponse>>;
  readonly security?: readonly object[];
  readonly description?: string;
}

interface DocumentedResponse {
  readonly $ref?: string;
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, DocumentedContent>>;
}

interface DocumentedContent {
  readonly schema: Schema;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** @returns every operation of a document, with references to responses followed */
export function operationsOf(document: object): readonly DocumentedOperation[] {
  const { paths } = document as { paths: Record<string, Record<string, DocumentedOperation>> };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      ...operation,
      path,
      method,
      responses: Object.fromEntries(
        Object.entries(operation.responses).map(([status, response]) => [status, follow(document, response)]),
      ),
    })),
  );
}

/** @returns what a reference within a document leads to, or the value itself */
export function follow<T extends { readonly $ref?: string }>(document: object, value: T): T {
  if (!value.$ref?.startsWith('#/')) return value;
  const names = value.$ref.replace('#/', '').split('/');
  return names.reduce<unknown>((found, name) => (found as Record<string, unknown>)[name], document) as T;
}

/** @returns what is wrong with a value by a schema. A member that the schema does not name is wrong, too */
export function schemaProblems(document: object, given: Schema, value: unknown, at = 'body'): string[] {
  const schema = follow(document, given);
  const type = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
  if (schema.type !== type) return [`${at} is of type ${type}, not ${String(schema.type)}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is ${String(value)}`];
  if (Array.isArray(value))
    return value.flatMap((item, index) => schemaProblems(document, schema.items ?? {}, item, `${at}[${index}]`));
  if (type !== 'object') return [];
  const members = value as Readonly<Record<string, unknown>>;
  return [
    ...(schema.required ?? []).filter((name) => !(name in members)).map((name) => `${at} lacks ${name}`),
    ...Object.entries(members).flatMap(([name, member]) => {
      const property = schema.properties?.[name];
      return property
        ? schemaProblems(document, property, member, `${at}.${name}`)
        : [`${at}.${name} is not in the schema`];
    }),
  ];
}

/** Sends a request of an operation with these headers. */
export type Call = (headers?: Readonly<Record<string, string>>) => Promise<Answer>;

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The most requests that a key may send in the scenarios, and the most bad keys. */
export const MOST_REQUESTS = 3;
export const MOST_FAILURES = 20;

/** Calls an operation in every way in which it may be refused, and does not look at the rules. */
export async function provoke({ emulator, clock }: Scenario, call: Call): Promise<readonly Answer[]> {
  const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` });
  const key = (options: object = {}) => {
    return bearer(emulator.createKey({ scopes: DOCUMENTED_SCOPES, orgCode: 'org_a', ...options }).key);
  };
  const token = (options: object) => {
    return bearer(emulator.issueToken({ userId: 'kp_1', audience: 'https://api.example.com', ...options }));
  };
  const head = base64url({ alg: 'none' });
  const headers = [
    {},
    bearer('short'),
    bearer(`${head}.a.b.c.d`),
    bearer(`${head}.${base64url({})}.c`),
    token({ lifetimeSeconds: -60 }),
    bearer('k_live_unknown_to_kinde_0'),
    key({ status: 'revoked' }),
    key({ status: 'inactive' }),
    key({ scopes: [] }),
    key({ orgCode: 'org_b' }),
    key({ orgCode: undefined }),
    key({ orgCode: undefined, userId: 'kp_1' }),
    token({ scopes: [] }),
    token({ scopes: DOCUMENTED_SCOPES, orgCode: 'org_b' }),
    token({ scopes: DOCUMENTED_SCOPES, orgCode: 'org_a' }),
    { 'x-user': 'u1' },
    ...Array<Record<string, string>>(MOST_REQUESTS + 1).fill(key()),
    ...Array<Record<string, string>>(MOST_REQUESTS + 1).fill(key({ orgCode: undefined, userId: 'kp_2' })),
    ...Array<Record<string, string>>(MOST_FAILURES + 1).fill(bearer('k_live_unknown_to_kinde_1')),
  ];
  const answers: Answer[] = [];
  for (const one of headers) answers.push(await call(one));
  clock.advance(61_000); // Ends the windows.
  emulator.failUntilCleared(503);
  answers.push(await call(key()));
  emulator.clearFaults();
  clock.advance(120_000); // Ends the pause after an outage.
  const { clientSecret } = emulator.credentials;
  emulator.revokeTokens();
  emulator.changeApplication({ clientSecret: 'rotated-in-the-meantime' });
  answers.push(await call(key()), await call(key()));
  emulator.changeApplication({ clientSecret });
  clock.advance(3_600_000); // Ends the pause after a refused secret.
  return answers;
}
