import {
  type ArgumentsHost,
  BadRequestException,
  Catch,
  ConflictException,
  type ExceptionFilter,
  type HttpException,
  Logger,
  NotFoundException,
  ServiceUnavailableException,
} from '@nestjs/common';
import { KindeApiKeyManagementError } from 'nestjs-kinde-api-key';

/** What Express' response and Fastify's reply have in common. */
interface HttpResponse {
  header(name: string, value: string): unknown;
  status(code: number): { send(body: unknown): void };
}

/** Answers for errors of `ApiKeysService`. Their messages name menus of Kinde: they are for the operator's log, not for customers. */
@Catch(KindeApiKeyManagementError)
export class ManagementErrorFilter implements ExceptionFilter<KindeApiKeyManagementError> {
  private readonly logger = new Logger(ManagementErrorFilter.name);

  catch(error: KindeApiKeyManagementError, host: ArgumentsHost): void {
    this.logger.error(`${error.code}: ${error.message}`);
    const answer = answerTo(error);
    const response = host.switchToHttp().getResponse<HttpResponse>();
    if (error.retryAfterSeconds !== null) response.header('Retry-After', String(error.retryAfterSeconds));
    response.status(answer.getStatus()).send(answer.getResponse());
  }
}

/** An unknown outcome is not 503: clients repeat a call after that, and a second `create` would make a second key. */
function answerTo({ code, isOutcomeUnknown }: KindeApiKeyManagementError): HttpException {
  if (isOutcomeUnknown)
    return new ConflictException('Whether this was done is unknown. Load the list of keys before you try again');
  switch (code) {
    case 'NOT_FOUND':
      return new NotFoundException('The organization has no key with this id');
    case 'INVALID_INPUT':
      return new BadRequestException('The key cannot be created or rotated like this');
    case 'PERMISSION_MISSING':
      return new ServiceUnavailableException(
        'API keys cannot be managed here at the moment. The operator has been told why',
      );
    default:
      return new ServiceUnavailableException(
        'API keys cannot be managed at the moment. Nothing was changed: try again later',
      );
  }
}
