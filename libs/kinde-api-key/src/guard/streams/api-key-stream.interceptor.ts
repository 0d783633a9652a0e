import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { EMPTY, map, Observable, of } from 'rxjs';
import { foundBy } from '../../contexts/calls.js';
import { RESOLVER_TYPE, SSE } from '../../handlers/nest-metadata.js';
import type { HttpRequest } from '../../rules/http-request.js';
import { KINDE_API_KEY_REGISTRATION, type Registration } from '../registration.js';
import { acceptedState } from '../request-state.js';
import { endableIterator, isAsyncIterable } from './endable-iterator.js';

/** An HTTP request on a connection, of Express or Fastify. */
interface NodeRequest extends HttpRequest {
  readonly socket?: { readonly destroyed?: unknown };
}

/** Begins to watch a stream: gets what ends it, and returns what stops watching. */
type Open = (end: (code: string) => void) => () => void;

/**
 * Ends server-sent events and GraphQL subscriptions when their API key is no longer accepted: at once when the key is invalidated, else at the
 * next check, every five seconds. The last server-sent event is `{ type: 'status', data: { code } }` with the code of the refusal; a subscription
 * completes.
 *
 * Changes nothing for other handlers, public routes and callers without an API key.
 */
@Injectable()
export class ApiKeyStreamInterceptor implements NestInterceptor {
  /** @internal A subclass without a constructor inherits it. */
  constructor(@Inject(KINDE_API_KEY_REGISTRATION) private readonly registration: Registration) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const type = context.getType<string>();
    const isSse = type === 'http' && Boolean(Reflect.getMetadata(SSE, context.getHandler()));
    const isSubscription =
      type === 'graphql' && Reflect.getMetadata(RESOLVER_TYPE, context.getHandler()) === 'Subscription';
    if (!isSse && !isSubscription) return next.handle();
    const { id, credentials, streams } = this.registration;
    const { apiKey, request } = acceptedState(foundBy(context), id) ?? {};
    if (!apiKey || !request) return next.handle();
    const key = credentials.read(request);
    // An app has removed the key since the guard read it: the stream could not be ended later.
    if (typeof key === 'string') return isSse ? of(statusEvent('INVALID_KEY')) : EMPTY;
    const open: Open = (end) => streams.open(key, apiKey, end);
    if (isSse) return endableEvents(next, open, request);
    return next.handle().pipe(map((events) => (isAsyncIterable(events) ? endableIterator(events, open) : events)));
  }
}

function endableEvents(next: CallHandler, open: Open, request: NodeRequest): Observable<unknown> {
  return new Observable<unknown>((subscriber) => {
    // Older versions of Nest do not notice that the client left meanwhile: nothing would end the stream.
    if (request.socket?.destroyed) return subscriber.complete();
    const close = open((code) => {
      subscriber.next(statusEvent(code));
      subscriber.complete();
    });
    subscriber.add(close);
    subscriber.add(next.handle().subscribe(subscriber));
  });
}

function statusEvent(code: string): object {
  return { type: 'status', data: { code } };
}
