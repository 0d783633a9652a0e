import { isRecord, option, section, type OptionalIn, type OptionKind, type RequiredIn } from './option-kinds.js';

/** A token of RFC 9110 §5.6.2: the name of a header, or of a scheme. */
const HTTP_TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const accepts = (given: unknown): boolean => typeof given === 'string' && HTTP_TOKEN.test(given);

const HEADER = "the name of a header, e.g. 'x-api-key'";
/** The options of one of the `credentials`. */
export const CREDENTIAL_OPTIONS = {
  /** Name of the header, in any case, e.g. `authorization` or `x-api-key`. Required. */
  header: option({ takes: HEADER, accepts, use: (name: string) => name.toLowerCase(), absent: '', missing: HEADER }),
  /** Scheme before the key, e.g. `Bearer`. Required for `authorization`. Default: not set, the whole header is the key. */
  scheme: option<string, null>({ takes: "one word, e.g. 'Bearer'", accepts, absent: null }),
};

/** A header that may carry the key. */
export interface ApiKeyCredential
  extends RequiredIn<typeof CREDENTIAL_OPTIONS, 'header'>, OptionalIn<typeof CREDENTIAL_OPTIONS, 'scheme'> {}

const BEARER: readonly ApiKeyCredential[] = [{ header: 'authorization', scheme: 'Bearer' }];
const LIST = "a list of at least one header, e.g. [{ header: 'x-api-key' }]";
const credentialSection = section<ApiKeyCredential, typeof CREDENTIAL_OPTIONS>(
  CREDENTIAL_OPTIONS,
  "an object, e.g. { header: 'x-api-key' }",
);

/** `credentials`: a list of headers, in lower case and each of them once. */
export const credentialList: OptionKind<readonly ApiKeyCredential[]> = {
  takes: LIST,
  default: BEARER,
  fields: CREDENTIAL_OPTIONS,
  read(given = BEARER, name, reading) {
    const { problems } = reading;
    if (!Array.isArray(given) || given.length === 0) {
      problems.push(`${name} must be ${LIST}`);
      return BEARER;
    }
    const headers = new Set<string>();
    return given.map((credential: unknown, index): ApiKeyCredential => {
      const path = `${name}[${index}]`;
      const { header, scheme } = credentialSection.read(credential, path, reading);
      if (header === 'authorization' && isRecord(credential) && credential.scheme === undefined)
        problems.push(`${path}.scheme is missing: this header needs one, e.g. 'Bearer'`);
      if (header !== '' && headers.has(header))
        problems.push(`${path}.header is in the list already: list each header once`);
      headers.add(header);
      return scheme === null ? { header } : { header, scheme };
    });
  },
};
