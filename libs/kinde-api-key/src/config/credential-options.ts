import { option } from './option-kinds.js';
import {
  isRecord,
  readTable,
  type OptionalIn,
  type RequiredIn,
  type OptionKind,
  type Reading,
  type RequiredOption,
} from './option-table.js';

/** A token of RFC 9110 §5.6.2: the name of a header, or of a scheme. */
const HTTP_TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const isHttpToken = (given: unknown): boolean => typeof given === 'string' && HTTP_TOKEN.test(given);

const HEADER = "the name of a header, e.g. 'x-api-key'";
const header: RequiredOption<string> = {
  ...option({
    takes: HEADER,
    accepts: isHttpToken,
    use: (name: string) => name.toLowerCase(),
    absent: '',
    missing: HEADER,
  }),
  isRequired: true,
};

/** The options of one of the `credentials`. */
export const CREDENTIAL_OPTIONS = {
  /** Name of the header, in any case, e.g. `authorization` or `x-api-key`. Required. */
  header,
  /** Scheme before the key, e.g. `Bearer`. Required for `authorization`. Default: not set, the whole header is the key. */
  scheme: option<string, string | null>({ takes: "one word, e.g. 'Bearer'", accepts: isHttpToken, absent: null }),
};

/** A header that may carry the key. */
export interface ApiKeyCredential
  extends OptionalIn<typeof CREDENTIAL_OPTIONS>, RequiredIn<typeof CREDENTIAL_OPTIONS> {}

const BEARER: readonly ApiKeyCredential[] = [{ header: 'authorization', scheme: 'Bearer' }];
const LIST = "a list of at least one header, e.g. [{ header: 'x-api-key' }]";

/** `credentials`: a list of headers, in lower case and each of them once. */
export const credentialList: OptionKind<readonly ApiKeyCredential[]> = {
  takes: LIST,
  default: BEARER,
  fields: CREDENTIAL_OPTIONS,
  read(given, name, reading) {
    if (given === undefined) return BEARER;
    if (!Array.isArray(given) || given.length === 0) {
      reading.problems.push(`${name} must be ${LIST}`);
      return BEARER;
    }
    const headers = new Set<string>();
    return given.map((credential: unknown, index) => {
      const used = readCredential(credential, `${name}[${index}]`, reading);
      if (used.header !== '' && headers.has(used.header))
        reading.problems.push(`${name}[${index}].header is in the list already: list each header once`);
      headers.add(used.header);
      return used;
    });
  },
};

function readCredential(given: unknown, name: string, reading: Reading): ApiKeyCredential {
  if (!isRecord(given)) {
    reading.problems.push(`${name} must be an object, e.g. { header: 'x-api-key' }`);
    return { header: '' };
  }
  const { header, scheme } = readTable(CREDENTIAL_OPTIONS, given, reading, (field) => `${name}.${field}`);
  if (header === 'authorization' && given.scheme === undefined)
    reading.problems.push(`${name}.scheme is missing: this header needs one, e.g. 'Bearer'`);
  return scheme === null ? { header } : { header, scheme };
}
