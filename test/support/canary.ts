import { inspect } from 'node:util';

/** Secrets to look for, each under a name that may appear in a message. */
export type Canaries = Readonly<Record<string, string>>;

/** Returns everything that is readable in a value as text: hidden properties, getters and causes, at any depth. */
export function everythingOf(value: unknown): string {
  return [
    inspect(value, {
      depth: Infinity,
      showHidden: true,
      getters: true,
      maxStringLength: null,
      maxArrayLength: null,
      breakLength: Infinity,
    }),
    stringified(value),
    value instanceof Error ? `${String(value)} ${value.stack}` : '',
  ].join('\n');
}

/** `JSON.stringify` without repeated and circular references. */
function stringified(value: unknown): string {
  const seen = new Set<unknown>();
  return (
    JSON.stringify(value, (_name, field: unknown) => {
      if (typeof field === 'bigint' || typeof field === 'function') return String(field);
      if (typeof field !== 'object' || field === null) return field;
      if (seen.has(field)) return undefined;
      seen.add(field);
      return field;
    }) ?? ''
  );
}

/** Returns a secret in every encoding that is searched: plain, URL-encoded, hex, and base64 at any offset of a longer text. */
export function formsOf(secret: string): ReadonlyMap<string, string> {
  const bytes = Buffer.from(secret);
  const forms: [string, string][] = [
    ['plain', secret],
    ['in lower case', secret.toLowerCase()],
    ['URL-encoded', encodeURIComponent(secret)],
    ['form-encoded', new URLSearchParams({ '': secret }).toString().slice(1)],
    ['JSON-encoded', JSON.stringify(secret).slice(1, -1)],
    ['hex', bytes.toString('hex')],
    ['bytes as inspect() shows them', (bytes.toString('hex').match(/../g) ?? []).slice(0, 12).join(' ')],
    ['reversed', secret.split('').reverse().join('')],
  ];
  for (const offset of [0, 1, 2]) {
    // Keeps the characters that depend on the secret alone, and drops those that encode neighbouring bytes, too.
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    const inner = shifted.subarray(offset === 0 ? 0 : 3, shifted.length - (shifted.length % 3));
    forms.push(
      [`base64 at ${offset}`, inner.toString('base64')],
      [`base64url at ${offset}`, inner.toString('base64url')],
    );
  }
  return new Map(forms);
}

/** @returns the canaries found in a text, each with its encoding and the text before it, without the secret */
export function canariesIn(text: string, canaries: Canaries): string[] {
  return Object.entries(canaries).flatMap(([name, secret]) =>
    [...formsOf(secret)]
      .map(([form, written]) => ({ form, at: text.indexOf(written) }))
      .filter(({ at }) => at !== -1)
      .map(({ form, at }) => `${name} (${form}) after: …${text.slice(Math.max(0, at - 60), at)}`),
  );
}
