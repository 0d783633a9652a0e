import type { ExecutionContext } from '@nestjs/common';
import type { CredentialRefusal } from './credential-reader.js';
import { isTokenError, isVerificationError } from './key-verification.js';
import type { Registration } from './registration.js';
import { refuseKey, refuseRequest } from './request-refusal.js';
import { keepState, type RequestState } from './request-state.js';

/**
 * Asks the option `principals` who sent a request without an API key. An access token (JWT) may stand where a key may.
 *
 * @param refusal of the request, if no source knows the caller
 */
export function authenticateOther(
  registration: Registration,
  context: ExecutionContext,
  state: RequestState,
  refusal: CredentialRefusal,
): Promise<void> {
  const { principals } = registration;
  const mayBeOther = refusal === 'MISSING_KEY' || refusal === 'WRONG_CREDENTIAL_TYPE';
  if (!principals || !mayBeOther) throw refuseKey(registration, context, state, refusal);
  keepState(state);
  state.asked ??= principals.authenticate(context, state.request);
  return state.asked.then(
    (principal) => {
      if (!principal) throw refuseKey(registration, context, state, refusal);
      state.apiKey = undefined;
      state.principal = principal;
    },
    (error: unknown) => {
      state.asked = undefined;
      if (isTokenError(error)) throw refuseRequest(registration, context, state, error.code);
      if (!isVerificationError(error)) throw error;
      throw refuseRequest(registration, context, state, error.code, error.retryAfterSeconds);
    },
  );
}
