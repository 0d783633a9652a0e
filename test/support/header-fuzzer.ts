import { createHash } from 'node:crypto';

/** Returns a generator whose numbers are determined by the seed (xorshift32). */
export function seeded(seed: number): { below: (bound: number) => number; pick: <T>(from: readonly T[]) => T } {
  let state = createHash('sha256').update(String(seed)).digest().readUInt32LE() || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const below = (bound: number): number => next() % bound;
  return { below, pick: <T>(from: readonly T[]): T => from[below(from.length)] as T };
}

const KEY_CHARACTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/'.split('');
const STRANGE = ['\u0000', '\u0001', '\t', '\n', '\r', '\u007f', '\u0080', '\u00a0', '\u00ff', ' ', ',', ';', ':', '"', '\\', '%', '=', '@', '{', '(', '`', '|', '\u200b', '\u2028', '\u212a', '\ufeff', '\uff1d', '\ud83d\ude00', '\ud800', 'é', 'ı', 'K'] as const; // prettier-ignore
const SCHEMES = ['Bearer', 'bearer', 'BEARER', 'BeArEr', 'Bearer:', 'Bearerx', 'xBearer', 'Bear\u0435r', 'Basic', 'Digest', 'Token', 'ApiKey', 'DPoP', 'Negotiate', '', ' ', 'Bearer,', 'Bearer Bearer'] as const; // prettier-ignore
const SPACES = [' ', ' ', ' ', ' ', '', '  ', '      ', '\t', ' \t', '\u00a0', '\u2003', '\u3000', '\ufeff', ',', '=', '%20', '\n', '\r\n '] as const; // prettier-ignore
const LENGTHS = [0, 1, 15, 16, 17, 48, 64, 511, 512, 513, 1_024, 4_096, 8_000] as const;

type Random = ReturnType<typeof seeded>;

function text(random: Random, length: number): string {
  let made = '';
  while (made.length < length) made += random.pick(KEY_CHARACTERS);
  return made;
}

/** A key, or a text that differs from a key in one detail. */
function token(random: Random): string {
  const length = random.below(4) === 0 ? random.pick(LENGTHS) : 16 + random.below(60);
  const plain = text(random, Math.min(length, 64)) + 'x'.repeat(Math.max(0, length - 64));
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return plain;
    case 4:
      return plain + '='.repeat(random.below(5));
    case 5:
      return `${plain}=${plain}`;
    case 6: {
      const at = random.below(plain.length + 1);
      return plain.slice(0, at) + random.pick(STRANGE) + plain.slice(at);
    }
    case 7:
      return random.pick(STRANGE) + plain;
    case 8:
      return plain + random.pick(STRANGE);
    case 9:
      return `ey${plain}.${text(random, 20)}.${text(random, 20).replaceAll(/[.~+/]/g, '_')}`;
    case 10:
      return `${plain}, ${plain}`;
    default:
      return `${'a'.repeat(random.below(600))}${'='.repeat(random.below(600))}${random.pick(STRANGE)}`;
  }
}

/** The value of a header, well-formed or not. */
function value(random: Random, scheme: boolean): string {
  const made = scheme ? random.pick(SCHEMES) + random.pick(SPACES) + token(random) : token(random);
  return random.below(12) === 0 ? `${made}, ${scheme ? 'Bearer ' : ''}${token(random)}` : made;
}

/** The headers of requests with two credentials, by the number drawn. */
const TWICE: Readonly<Record<number, readonly string[]>> = {
  16: ['Authorization', 'authorization'],
  17: ['X-Api-Key', 'x-API-key'],
  18: ['Authorization', 'X-Api-Key'],
};

/** Headers as sent (`rawHeaders`, names and values alternately) and as Node's object of headers, or with values of other types. */
export interface HeaderVariant {
  readonly rawHeaders?: readonly unknown[];
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Generates the headers of a request with one key, several keys, or without a key. */
export function headerVariant(random: Random): HeaderVariant {
  const raw: string[] = ['Host', 'localhost'];
  const add = (name: string): void => void raw.push(name, value(random, !/^x-api-key$/i.test(name)));
  const where = random.below(20);
  if (where < 12) add(random.pick(['Authorization', 'authorization', 'AUTHORIZATION']));
  else if (where < 15) add(random.pick(['X-Api-Key', 'x-api-key']));
  else if (where < 16)
    add(random.pick(['Proxy-Authorization', 'Authorization2', 'Author\u0131zation', 'X_Api_Key', '__proto__']));
  else for (const name of TWICE[where] ?? []) add(name);
  const headers = joined(raw);
  // An adapter without a socket may have no raw list, and values of any type.
  if (random.below(10) > 0) return { rawHeaders: raw, headers };
  const strange: unknown = random.pick<unknown>([
    [raw[3]],
    [raw[3], raw[3]],
    [],
    null,
    7,
    {},
    { toString: () => raw[3] },
    raw[3],
  ]);
  return { headers: { ...headers, [random.pick(['authorization', 'x-api-key'])]: strange } };
}

/** Combines repeated headers as Node does (`http.IncomingMessage.headers`): the first `Authorization` wins, others are joined by commas. */
function joined(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const given = raw[index + 1] ?? '';
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (before === undefined)
      Object.defineProperty(headers, name, { value: given, enumerable: true, configurable: true });
    else if (name !== 'authorization')
      Object.defineProperty(headers, name, { value: `${before}, ${given}`, enumerable: true, configurable: true });
  }
  return headers;
}

/**
 * Returns the one text that could be a key, or `undefined`. An independent oracle, written from RFC 6750 §2.1 and RFC 9110 §11.4 without
 * code of the library.
 */
export function possibleKey({ rawHeaders, headers }: HeaderVariant): string | undefined {
  const authorization = valuesOf('authorization', rawHeaders, headers);
  const apiKey = valuesOf('x-api-key', rawHeaders, headers);
  if (authorization === undefined || apiKey === undefined || apiKey.length > 1 || authorization.length > 1)
    return undefined;
  const credentials = authorization[0] === undefined ? undefined : credentialsOf(authorization[0]);
  const bare = apiKey[0];
  if ((credentials === undefined) === (bare === undefined)) return undefined;
  const candidate = credentials ?? bare ?? '';
  return isToken68(candidate) && !isJwt(candidate) ? candidate : undefined;
}

/** Every value of a header as sent, or `undefined` if a value is not a string. */
function valuesOf(
  name: string,
  raw: readonly unknown[] | undefined,
  headers: Readonly<Record<string, unknown>>,
): string[] | undefined {
  if (raw) {
    return raw.filter((_value, index) => index % 2 === 1 && String(raw[index - 1]).toLowerCase() === name) as string[];
  }
  if (!Object.hasOwn(headers, name) || headers[name] === undefined) return [];
  const given = headers[name];
  return typeof given === 'string' ? [given] : undefined;
}

/**
 * Returns the text after `Bearer` and one or more spaces, or `undefined` for another scheme. An empty header and a long word without a scheme
 * count as credentials, too, but cannot be a key.
 */
function credentialsOf(header: string): string | undefined {
  const words = header.split(' ');
  const [scheme = ''] = words;
  if (header === '' || (words.length === 1 && header.length >= 16)) return '';
  // A scheme has ASCII letters only: the Kelvin sign and the dotless i do not count.
  const isBearer =
    scheme.length === 6 &&
    scheme.split('').every((letter, at) => letter < '\u0080' && letter.toLowerCase() === 'bearer'[at]);
  if (!isBearer) return undefined;
  let at = scheme.length;
  while (header[at] === ' ') at += 1;
  return header.slice(at);
}

function isToken68(candidate: string): boolean {
  if (candidate.length < 16 || candidate.length > 512) return false;
  let end = candidate.length;
  while (end > 0 && candidate[end - 1] === '=') end -= 1;
  return (
    end > 0 &&
    candidate
      .slice(0, end)
      .split('')
      .every((character) => KEY_CHARACTERS.includes(character))
  );
}

/** RFC 7515 §7.1 and RFC 7516 §7.1: three or five parts in base64url, the first an encoded JSON object. */
function isJwt(candidate: string): boolean {
  const parts = candidate.split('.');
  const isBase64url = (part: string): boolean => !part.split('').some((character) => '~+/='.includes(character));
  return (
    candidate.startsWith('ey') && (parts.length === 3 || parts.length === 5) && parts.every((part) => isBase64url(part))
  );
}
