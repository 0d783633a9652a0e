import type { ExecutionContext } from '@nestjs/common';
import { integer, option, readArgument, type OptionalIn, type RequiredIn } from '../config/option-kinds.js';
import { headerValue } from '../guard/credential-reader.js';
import { CONNECT } from '../api-key/principal.js';
import type { ConnectedPrincipalSource, PrincipalSource } from '../guard/principal-source.js';
import type { HttpRequest } from '../rules/http-request.js';
import { invalid, type KindeAccessTokenPrincipal } from './access-token-claims.js';
import { AccessTokenVerifier } from './access-token-verifier.js';
import { SigningKeys } from './signing-keys.js';

const isText = (given: unknown): given is string => typeof given === 'string' && given !== '' && given.trim() === given;

const ACCESS_TOKEN_OPTIONS = {
  /**
   * The audience of your API in Kinde > Settings > APIs, or several. A token must be for one of them. Required: without it, a token that Kinde issued
   * for another API of yours, or an ID token, would be accepted.
   */
  audience: option<string | readonly string[]>({
    takes: 'a text or a list of at least one, as in Kinde > Settings > APIs, without blanks around it',
    accepts: (given) => isText(given) || (Array.isArray(given) && given.length > 0 && given.every(isText)),
    absent: [],
    missing: 'name the audience of your API, as in Kinde > Settings > APIs',
  }),
  /**
   * How far the clocks of Kinde and this machine may differ, in seconds, 0 to 300. Default 5. Risk: an expired token is accepted for as long.
   */
  clockToleranceSeconds: integer({ min: 0, max: 300, default: 5 }),
  /**
   * The claim `iss` of the tokens. Default: `https://<subdomain>.kinde.com`. Set it to `https://<your domain>` if users sign in at a custom domain. The
   * keys always come from Kinde's own domain.
   */
  issuer: option<string, undefined>({
    takes: 'an https URL without a path, e.g. https://auth.example.com',
    accepts: (given) => typeof given === 'string' && URL.canParse(given) && new URL(given).origin === given,
    absent: undefined,
  }),
};

/** See {@link kindeAccessTokens}. */
export interface KindeAccessTokensOptions
  extends
    RequiredIn<typeof ACCESS_TOKEN_OPTIONS, 'audience'>,
    OptionalIn<typeof ACCESS_TOKEN_OPTIONS, 'clockToleranceSeconds' | 'issuer'> {}

/** A JWS in its compact form, whose header is a JSON object (RFC 7515 §3.1). The signature may be absent: then the token is refused. */
const BEARER_JWS = /^Bearer +(ey[\w-]*\.[\w-]*\.[\w-]*)$/i;

/**
 * Accepts access tokens of Kinde beside API keys, for the option `principals`. The principal is a {@link KindeAccessTokenPrincipal}.
 *
 * A token is accepted if Kinde signed it (RS256, with a key of `<origin>/.well-known/jwks`) and its issuer, audience and times are right. Kinde is
 * asked for its keys only: a token that is revoked there is accepted until it expires, and so are its scopes.
 * Each verification costs about 0.15 ms of CPU. Accepted tokens are not cached.
 *
 * @throws {TypeError} if `audience` is missing, or an option is out of range
 */
export function kindeAccessTokens(options: KindeAccessTokensOptions): ConnectedPrincipalSource {
  const cure = ", e.g. kindeAccessTokens({ audience: 'https://api.example.com' })";
  const { audience, clockToleranceSeconds, issuer } = readArgument(
    ACCESS_TOKEN_OPTIONS,
    options,
    'kindeAccessTokens',
    cure,
  );
  const audiences = Object.freeze([audience].flat());
  return Object.freeze({
    [CONNECT]: (connection): PrincipalSource => {
      const rules = { issuer: issuer ?? connection.origin, audiences, toleranceSeconds: clockToleranceSeconds };
      return new AccessTokenSource(new AccessTokenVerifier(new SigningKeys(connection), rules, connection.clock));
    },
  } satisfies ConnectedPrincipalSource);
}

function httpRequestOf(context: ExecutionContext): HttpRequest | undefined {
  return context.getType() === 'http' ? context.switchToHttp().getRequest<HttpRequest>() : undefined;
}

/** Reads the token of a request and verifies it. */
class AccessTokenSource implements PrincipalSource {
  readonly #verifier: AccessTokenVerifier;

  constructor(verifier: AccessTokenVerifier) {
    this.#verifier = verifier;
  }

  /** Declines a request without a JWS. Throws like {@link AccessTokenVerifier.verify}. */
  authenticate(context: ExecutionContext, request = httpRequestOf(context)): null | Promise<KindeAccessTokenPrincipal> {
    if (!request) return null;
    const value = headerValue(request, 'authorization');
    if (value === null) throw invalid('the request has two Authorization headers');
    const [, token] = BEARER_JWS.exec(value ?? '') ?? [];
    return token === undefined ? null : this.#verifier.verify(token);
  }
}
