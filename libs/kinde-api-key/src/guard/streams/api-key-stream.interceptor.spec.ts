import { Sse } from '@nestjs/common';
import { firstValueFrom, of, toArray } from 'rxjs';
import { buildGuard, requestTo, type RequestParts } from '../../../../../test/support/guard.js';
import { ApiKeyStreamInterceptor } from './api-key-stream.interceptor.js';

class Events {
  @Sse()
  stream() {}
}

async function acceptedRequest(parts?: RequestParts) {
  const { guard, registration } = buildGuard();
  const to = requestTo(Events, 'stream', parts);
  await guard.canActivate(to.context);
  const handle = jest.fn(() => of('an event'));
  const eventsOf = (interceptor: ApiKeyStreamInterceptor) =>
    firstValueFrom(interceptor.intercept(to.context, { handle }).pipe(toArray()));
  return { ...to, registration, handle, eventsOf };
}

describe('the interceptor for streams', () => {
  it('passes the events of an accepted key on', async () => {
    const { eventsOf, registration } = await acceptedRequest();
    expect(await eventsOf(new ApiKeyStreamInterceptor(registration))).toEqual(['an event']);
  });

  it('ends a stream before it begins when the key was removed from the request', async () => {
    const { eventsOf, registration, request, handle } = await acceptedRequest();
    request.rawHeaders.length = 0;
    const events = await eventsOf(new ApiKeyStreamInterceptor(registration));
    expect(events).toEqual([{ type: 'status', data: { code: 'INVALID_KEY' } }]);
    expect(handle).not.toHaveBeenCalled();
  });

  it('leaves requests to the registration that accepted them', async () => {
    const { eventsOf, request } = await acceptedRequest();
    request.rawHeaders.length = 0;
    expect(await eventsOf(new ApiKeyStreamInterceptor(buildGuard().registration))).toEqual(['an event']);
  });

  it('opens a stream for each subscription, and not before', async () => {
    const { context, registration, handle } = await acceptedRequest();
    const opened = jest.spyOn(registration.streams, 'open');
    const events = new ApiKeyStreamInterceptor(registration).intercept(context, { handle });
    expect([handle, opened].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    events.subscribe();
    expect([handle, opened].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  });
});
