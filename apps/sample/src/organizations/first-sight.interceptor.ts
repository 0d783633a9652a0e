import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { getVerifiedApiKey } from 'nestjs-kinde-api-key';
import type { Observable } from 'rxjs';
import { OrganizationsService } from './organizations.service.js';

/**
 * Inserts an organization when its first key is used, because organizations are created in Kinde. Interceptors run after
 * guards, so the key is verified and the request is allowed.
 * GraphQL has no HTTP request here, and only reads.
 */
@Injectable()
export class FirstSightInterceptor implements NestInterceptor {
  constructor(private readonly organizations: OrganizationsService) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const orgCode = getVerifiedApiKey(context.switchToHttp().getRequest())?.orgCode;
    if (orgCode) this.organizations.addIfMissing(orgCode);
    return next.handle();
  }
}
