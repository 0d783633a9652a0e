import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type EmulatorAnswer, type EmulatorRequest, jsonAnswer, sendAnswer } from './exchange.js';
import type { FaultObject, KindeEmulatorEndpoint, StatusFault } from './faults.js';
import { errorAnswer, oauthErrorAnswer } from './kinde-answers.js';

/** A request that meets a fault. */
export interface FaultyExchange {
  readonly request: EmulatorRequest;
  readonly response: ServerResponse;
  readonly endpoint: KindeEmulatorEndpoint | undefined;
  /** Returns the correct answer, with its side effects (a token, a count). Called at most once. */
  readonly answer: () => EmulatorAnswer;
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const BROKEN_JSON = '{"code":"API_KEY_VERIFIED","message":"API key verified","is_valid":true,"status":"act';

/** Delivers a fault. Resolves when it is complete. Does not reject when the client disconnects. */
export async function deliverFault(fault: FaultObject, exchange: FaultyExchange): Promise<void> {
  const { response } = exchange;
  if ('hang' in fault || response.destroyed) return;
  if ('reset' in fault) return reset(response);
  if ('delayMs' in fault) return sendAfter(exchange, (done) => timer(fault.delayMs, response, done));
  if ('holdUntil' in fault) return sendWhen(exchange, fault.holdUntil);
  if ('trickleMs' in fault) return trickle(response, exchange.answer(), fault.trickleMs);
  if ('truncated' in fault) return truncate(response, exchange.answer());
  if ('huge' in fault) return stream(response, padding(fault.huge), fault.declared ? fault.huge : undefined);
  if ('endless' in fault) return stream(response, padding(Infinity), undefined);
  sendAnswer(response, answerOf(fault, exchange));
}

/** Returns the answer of a fault that only replaces the correct answer. */
function answerOf(
  fault: Extract<FaultObject, { malformed: true } | { redirect: string } | { tokenError: string } | StatusFault>,
  exchange: FaultyExchange,
): EmulatorAnswer {
  if ('malformed' in fault) return { status: 200, headers: JSON_TYPE, body: BROKEN_JSON };
  if ('redirect' in fault) return { status: fault.status ?? 302, headers: { location: fault.redirect }, body: '' };
  if ('tokenError' in fault) return oauthErrorAnswer(fault.tokenError);
  const usual = usualError(fault.status, exchange.endpoint);
  const headers = {
    ...usual.headers,
    ...(fault.rateLimitReset === undefined ? {} : { 'ratelimit-reset': String(fault.rateLimitReset) }),
    ...lowerCased(fault.headers),
  };
  if (fault.echo) return { ...jsonAnswer(fault.status, echoOf(exchange.request)), headers };
  const { body } = fault;
  if (body === undefined) return { ...usual, headers };
  return {
    status: fault.status,
    headers,
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  };
}

function usualError(status: number, endpoint: KindeEmulatorEndpoint | undefined): EmulatorAnswer {
  if (endpoint === 'token') return oauthErrorAnswer('server_error', `Emulated fault with status ${status}`, status);
  return errorAnswer(status, 'EMULATED_FAULT', `Emulated fault with status ${status}`);
}

function echoOf({ method, url, headers, body }: EmulatorRequest): unknown {
  const request = { method, url, headers, body: body.toString() };
  return { errors: [{ code: 'EMULATED_FAULT', message: `Emulated fault: ${headers.authorization ?? ''}` }], request };
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

/** Computes the answer now and sends it when `wait` calls back. */
function sendAfter({ response, answer }: FaultyExchange, wait: (done: () => void) => void): void {
  const ready = answer();
  wait(() => sendAnswer(response, ready));
}

async function sendWhen({ response, answer }: FaultyExchange, gate: PromiseLike<unknown>): Promise<void> {
  const ready = answer();
  try {
    await gate;
  } catch {
    return reset(response);
  }
  sendAnswer(response, ready);
}

/** Starts a timer that ends with the connection. */
function timer(ms: number, response: ServerResponse, done: () => void): void {
  const handle = setTimeout(done, ms);
  response.once('close', () => clearTimeout(handle));
}

function trickle(response: ServerResponse, answer: EmulatorAnswer, everyMs: number): void {
  const bytes = Buffer.from(answer.body);
  let sent = 0;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': bytes.length });
  response.flushHeaders();
  const handle = setInterval(() => {
    response.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent >= bytes.length) response.end();
  }, everyMs);
  response.once('close', () => clearInterval(handle));
}

function truncate(response: ServerResponse, answer: EmulatorAnswer): void {
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) + 64 });
  response.write(answer.body, () => response.socket?.destroy());
}

async function stream(response: ServerResponse, chunks: Iterable<Buffer>, length: number | undefined): Promise<void> {
  response.writeHead(200, { ...JSON_TYPE, ...(length === undefined ? {} : { 'content-length': length }) });
  // These faults test clients that stop reading, so a broken pipe is not an error.
  await pipeline(Readable.from(chunks), response).catch(() => undefined);
}

/** Generates a JSON object of `bytes` bytes with one long string, in pieces that share one block. */
function* padding(bytes: number): Generator<Buffer> {
  const head = Buffer.from('{"padding":"');
  const tail = Buffer.from('"}');
  const block = Buffer.alloc(65_536, 'x');
  yield head;
  for (let left = bytes - head.length - tail.length; left > 0; left -= block.length) {
    yield left < block.length ? block.subarray(0, left) : block;
  }
  yield tail;
}
