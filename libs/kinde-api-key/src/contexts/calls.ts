import type { ExecutionContext } from '@nestjs/common';
import type { HttpResponse } from '../responses/http-response.js';
import type { Call } from './call.js';
import { graphqlCall, isResolverCall } from './graphql-call.js';
import { isSocketCall, rpcCall, rpcFoundBy, socketCall, socketFoundBy, type CallOptions } from './message-call.js';

/** The transports outside HTTP, by the name that Nest gives to the type of their contexts. */
export type CallType = 'graphql' | 'ws' | 'rpc';

/** Returns how a handler is called, by the name of the type and the shape of the arguments. */
export function callTypeOf(context: ExecutionContext): CallType | undefined {
  const type = typeOf(context);
  const args = argsOf(context);
  if (type === 'graphql' && isResolverCall(args)) return type;
  if (type === 'ws' && isSocketCall(args)) return type;
  return type === 'rpc' && args.length > 0 ? type : undefined;
}

/** Returns what is called, or why that is not known: such a call is refused. */
export function callOf(context: ExecutionContext, options: CallOptions): Call | string {
  const args = argsOf(context);
  switch (callTypeOf(context)) {
    case 'graphql':
      return graphqlCall(args, options);
    case 'ws':
      return socketCall(args, context.getHandler(), options);
    case 'rpc':
      return rpcCall(args, context.getHandler(), options);
    default:
      return `"${typeOf(context)}" is not HTTP`;
  }
}

/** Returns what a parameter decorator finds the request or the call by. */
export function foundBy(context: ExecutionContext): unknown {
  if (typeOf(context) === 'http') return context.switchToHttp().getRequest<unknown>();
  const args = argsOf(context);
  switch (callTypeOf(context)) {
    case 'graphql':
      return args.at(-1);
    case 'ws':
      return socketFoundBy(args, context.getHandler());
    case 'rpc':
      return rpcFoundBy(args, context.getHandler());
    default:
      return undefined;
  }
}

/** Returns the HTTP answer, where there is one to come. */
export function responseOf(context: ExecutionContext): HttpResponse | undefined {
  if (typeOf(context) === 'http') return context.switchToHttp().getResponse<HttpResponse>();
  const call = callTypeOf(context) === 'graphql' ? graphqlCall(argsOf(context), { credentials: [] }) : undefined;
  return typeof call === 'object' ? call.response : undefined;
}

// A test double of an app may have less than Nest's own context.
type Double = Partial<Pick<ExecutionContext, 'getType' | 'getArgs'>>;

function typeOf(context: Double): string {
  return context.getType?.() ?? 'http';
}

function argsOf(context: Double): readonly unknown[] {
  return context.getArgs?.() ?? [];
}
