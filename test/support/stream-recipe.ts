import { Controller, Req, Sse, type MessageEvent } from '@nestjs/common';
import {
  catchError,
  endWith,
  exhaustMap,
  filter,
  interval,
  map,
  merge,
  of,
  take,
  takeWhile,
  type Observable,
} from 'rxjs';
import { AnyValidKey, ApiKeyVerificationService, type RefusalReason } from 'nestjs-kinde-api-key';

const CODES: Record<RefusalReason, string> = {
  revoked: 'KEY_REVOKED',
  inactive: 'KEY_INACTIVE',
  unknown: 'INVALID_KEY',
  other_api: 'INVALID_KEY',
};

/** Ends a stream with an event of type `status` when its key is no longer accepted. `checks` says when to look: in the cache, if it knows. */
export function whileAccepted(
  events: Observable<MessageEvent>,
  keys: ApiKeyVerificationService,
  rawKey: string,
  checks: Observable<unknown> = interval(5_000),
): Observable<MessageEvent> {
  const status = checks.pipe(
    exhaustMap(() => keys.verify(rawKey)),
    map((verdict) => (verdict.accepted ? '' : CODES[verdict.reason])),
    catchError((error: { code: string }) => of(error.code)), // an outage that lasts longer than cached keys are accepted
    filter((code) => code !== ''),
    take(1),
    map((code): MessageEvent => ({ type: 'status', data: { code } })),
  );
  const ended = { data: '' };
  return merge(events.pipe(endWith(ended)), status.pipe(endWith(ended))).pipe(takeWhile((event) => event !== ended));
}

@Controller('prices')
export class PricesController {
  constructor(private readonly keys: ApiKeyVerificationService) {}

  @Sse()
  @AnyValidKey()
  stream(@Req() request: { headers: { authorization: string } }): Observable<MessageEvent> {
    const prices = interval(1_000).pipe(map((price) => ({ data: { price } })));
    return whileAccepted(prices, this.keys, request.headers.authorization.replace(/^Bearer /i, ''));
  }
}
