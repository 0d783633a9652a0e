import type { ExecutionContext, HttpException } from '@nestjs/common';
import { callTypeOf } from './calls.js';
import { sendToo } from './handshakes.js';

type Fields = Readonly<Record<string, unknown>>;
/** `WsException` or `RpcException`. */
type MessageException = new (error: object) => Error;

/** The exceptions that Nest sends to the caller, by the type of the context. `null`: the package was not found, as in a bundle. */
const SENT: Partial<Record<'ws' | 'rpc', MessageException | null>> = {};

/** Returns a promise until the refusals of a transport can be given their form. */
export function formOf(context: ExecutionContext): Promise<void> | undefined {
  const type = callTypeOf(context);
  if (type === undefined || type === 'graphql' || SENT[type] !== undefined) return undefined;
  return (type === 'ws' ? wsException() : rpcException()).then((exception) => {
    SENT[type] = exception;
  });
}

// The packages are the app's: this library does not need them, and a bundler must not look for them.
async function wsException(): Promise<MessageException | null> {
  try {
    return (await import(/* webpackIgnore: true */ '@nestjs/websockets')).WsException;
  } catch {
    return null;
  }
}

async function rpcException(): Promise<MessageException | null> {
  try {
    return (await import(/* webpackIgnore: true */ '@nestjs/microservices')).RpcException;
  } catch {
    return null;
  }
}

/** Gives a refusal the form in which a transport outside HTTP sends it. `ApiKeyRefusedException` recognizes each. */
export function refusalFor(context: ExecutionContext, exception: HttpException): Error {
  const type = callTypeOf(context);
  if (type === 'graphql') return graphqlRefusal(exception);
  const Sent = type && SENT[type];
  return Sent ? messageRefusal(exception, Sent) : exception;
}

/**
 * GraphQL sends the `extensions` of an error. Without a `status`, Nest's driver for Apollo does not replace them: it knows an `HttpException` by
 * that, and has four codes of its own. `http` stays in the answer: for Apollo it is an instruction only if its headers are a `Map`.
 */
function graphqlRefusal(exception: HttpException): Error {
  const status = exception.getStatus();
  const { statusCode: _statusCode, error: _error, message: _message, ...members } = bodyOf(exception);
  const { 'Cache-Control': _cacheControl, ...headers } = headersOf(exception);
  // What hideExistence hides would name the HTTP route of all operations.
  if (members.code === undefined) exception.message = 'Not Found';
  const extensions = { code: 'NOT_FOUND', ...members, http: { status, headers } };
  return Object.assign(exception, { status: undefined, getStatus: () => status, extensions });
}

/** Nest sends the object that such an exception was made from. */
function messageRefusal(exception: HttpException, Sent: MessageException): Error {
  const status = exception.getStatus();
  const { code, ...rest } = bodyOf(exception);
  const retryAfter = headersOf(exception)['Retry-After'];
  const body = {
    ...rest,
    ...(code === undefined ? { code: 'NOT_FOUND', message: 'Not Found' } : { code }),
    ...(retryAfter !== undefined && { retry_after: Number(retryAfter) }),
  };
  sendToo(body);
  const { name, stack } = exception;
  return Object.assign(new Sent(body), { name, stack, code, getStatus: () => status, getResponse: () => body });
}

function headersOf(exception: HttpException): Readonly<Record<string, string>> {
  return (exception as { readonly headers?: Readonly<Record<string, string>> }).headers ?? {};
}

function bodyOf(exception: HttpException): Fields {
  const body = exception.getResponse();
  return typeof body === 'object' ? (body as Fields) : {};
}
