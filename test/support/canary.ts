import { inspect } from 'node:util';

/** Secrets to look for, by a name that may stand in a message. */
export type Canaries = Readonly<Record<string, string>>;

/** Everything that the world can see of a value: hidden properties, getters, causes, at any depth. */
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

/** `JSON.stringify`, which leaves out what comes round again. */
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

/** The forms in which a secret may turn up: as it is, URL-encoded, in hex, and in base64 wherever it stands in a longer text. */
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
    // The characters that depend on the secret alone: without those that its neighbours have a part in.
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
    const inner = shifted.subarray(offset === 0 ? 0 : 3, shifted.length - (shifted.length % 3));
    forms.push(
      [`base64 at ${offset}`, inner.toString('base64')],
      [`base64url at ${offset}`, inner.toString('base64url')],
    );
  }
  return new Map(forms);
}

/** @returns which canaries stand in a text, in which form, and what surrounds them (without the secret itself) */
export function canariesIn(text: string, canaries: Canaries): string[] {
  return Object.entries(canaries).flatMap(([name, secret]) =>
    [...formsOf(secret)]
      .map(([form, written]) => ({ form, at: text.indexOf(written) }))
      .filter(({ at }) => at !== -1)
      .map(({ form, at }) => `${name} (${form}) after: …${text.slice(Math.max(0, at - 60), at)}`),
  );
}
