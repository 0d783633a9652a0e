import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { throwError } from 'rxjs';
import { ApiKeyRefusedException, type ApiKeyRefusalBody } from './api-key-refused.exception.js';
import { isHeadWritten, rawResponseOf, type HttpResponse } from './http-response.js';

interface ProblemResponse extends HttpResponse {
  status(code: number): { send(body: unknown): unknown };
}

/**
 * Answers refusals as `application/problem+json` (RFC 9457): `type` is `about:blank`, `title`, `status` and `detail` are filled in, `code`,
 * `hint` and the scopes are extension members. Register it with `app.useGlobalFilters(new ApiKeyProblemDetailsFilter())`.
 */
@Catch(ApiKeyRefusedException)
export class ApiKeyProblemDetailsFilter implements ExceptionFilter<ApiKeyRefusedException> {
  catch(exception: ApiKeyRefusedException, host: ArgumentsHost): unknown {
    // A global filter gets the refusals of other transports, too. They keep their form.
    if (host.getType() === 'rpc') return throwError(() => exception.getResponse());
    if (host.getType() !== 'http') return undefined;
    const response = host.switchToHttp().getResponse<ProblemResponse>();
    // As Nest's own filter does. Setting a header would throw, which ends the process with Express 4.
    if (isHeadWritten(response)) return void rawResponseOf(response)?.end();
    const body = exception.getResponse();
    response.header('Content-Type', 'application/problem+json');
    response.status(body.statusCode).send(JSON.stringify(problemOf(body)));
    return undefined;
  }
}

/** @internal Returns a refusal's body as problem details. */
export function problemOf({ statusCode, error, message, ...members }: ApiKeyRefusalBody): object {
  return { type: 'about:blank', title: error, status: statusCode, detail: message, ...members };
}
