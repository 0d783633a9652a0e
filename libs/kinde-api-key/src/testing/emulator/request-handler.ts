import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EmulatedKinde } from './emulated-kinde.js';
import type { Arrivals } from './arrivals.js';
import { type EmulatorAnswer, MAX_REQUEST_BYTES, readBody, sendAnswer, splitTarget } from './exchange.js';
import { deliverFault } from './fault-delivery.js';
import type { FaultPlan } from './fault-plan.js';
import { errorAnswer, noRouteAnswer } from './kinde-answers.js';
import { findRoute } from './router.js';

/**
 * Answers one request. Counts it and takes its fault when its head arrives, then reads its body. Never rejects: an error
 * in the emulator is answered with 500.
 */
export async function handleRequest(
  kinde: EmulatedKinde,
  faults: FaultPlan,
  arrivals: Arrivals,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/', headers } = message;
  const { path, query } = splitTarget(url);
  const route = findRoute(method, path);
  kinde.counters.requests += 1;
  if (route?.counter) kinde.counters[route.counter] += 1;
  const fault = faults.take(route?.endpoint);
  arrivals.announce(route?.endpoint);

  const body = await readBody(message);
  if (body === 'aborted') return;
  if (body === 'too_large') return sendAnswer(response, tooLarge());
  const request = { method, url, path, query, headers, body };
  const isLimited = path.startsWith('/api/');
  const answer = (): EmulatorAnswer =>
    (isLimited ? kinde.callLimit?.take() : undefined) ?? route?.answer(kinde, request) ?? noRouteAnswer();
  try {
    if (fault) await deliverFault(fault, { request, response, endpoint: route?.endpoint, answer });
    else sendAnswer(response, answer());
  } catch (error) {
    sendAnswer(response, errorAnswer(500, 'EMULATOR_ERROR', `The emulator failed: ${String(error)}`));
  }
}

function tooLarge(): EmulatorAnswer {
  return errorAnswer(413, 'PAYLOAD_TOO_LARGE', `The body is longer than ${MAX_REQUEST_BYTES} bytes`);
}
