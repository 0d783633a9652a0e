import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import { SSE } from '../../handlers/nest-metadata.js';
import { KINDE_API_KEY_REGISTRATION, type Registration } from '../registration.js';
import { acceptedState } from '../request-state.js';

/**
 * Ends server-sent events when their API key is no longer accepted: at once when the key is invalidated, else at the next check, every five
 * seconds. The last event is `{ type: 'status', data: { code } }` with the code of the refusal.
 *
 * Changes nothing for handlers without `@Sse()`, public routes and callers without an API key.
 */
@Injectable()
export class ApiKeyStreamInterceptor implements NestInterceptor {
  /** @internal A subclass without a constructor inherits it. */
  constructor(@Inject(KINDE_API_KEY_REGISTRATION) private readonly registration: Registration) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http' || !Reflect.getMetadata(SSE, context.getHandler())) return next.handle();
    const { id, credentials, streams } = this.registration;
    const state = acceptedState(context.switchToHttp().getRequest<unknown>(), id);
    if (!state?.apiKey) return next.handle();
    const { apiKey, request } = state;
    return new Observable<unknown>((subscriber) => {
      const end = (code: string): void => {
        subscriber.next({ type: 'status', data: { code } });
        subscriber.complete();
      };
      const key = credentials.read(request);
      // An app has removed the key since the guard read it: the stream could not be ended later.
      if (typeof key === 'string') return end('INVALID_KEY');
      subscriber.add(streams.open(key, apiKey, end));
      subscriber.add(next.handle().subscribe(subscriber));
    });
  }
}
