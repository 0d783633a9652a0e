import type { ExecutionContext } from '@nestjs/common';
import { callOf } from '../../contexts/calls.js';
import { formOf } from '../../contexts/refusal-form.js';
import type { RouteRule } from '../../rules/route-rule.js';
import { oncePerOrigin } from './once-per-origin.js';
import type { Registration } from '../registration.js';
import { refuseUnsupported } from '../request-refusal.js';
import { keepForLater, stateOfCall, type RequestState } from '../request-state.js';

/**
 * Decides about a call outside HTTP like about a request.
 *
 * @param decide takes the steps, with the registration that it is given
 */
export function decideCall(
  registration: Registration,
  context: ExecutionContext,
  rule: RouteRule,
  decide: (registration: Registration, state: RequestState) => boolean | Promise<boolean>,
): boolean | Promise<boolean> {
  const preparing = formOf(context);
  if (preparing) return preparing.then(() => decideCall(registration, context, rule, decide));
  const call = callOf(context, registration.calls);
  if (typeof call === 'string') throw refuseUnsupported(registration, context, call);
  const state = stateOfCall(call, registration.id, rule);
  const keep = (): void => {
    keepForLater(call, state);
    if (state.isAccepted && state.apiKey && call.isSocket) registration.sockets.note(call.owner, state.apiKey);
  };
  let decided;
  try {
    decided = decide(oncePerOrigin(registration, call), state);
  } catch (error) {
    keep();
    throw error;
  }
  if (typeof decided !== 'boolean') return decided.finally(keep);
  keep();
  return decided;
}
