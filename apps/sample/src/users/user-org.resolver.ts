import { type ExecutionContext, Injectable } from '@nestjs/common';
import type { OrgResolver } from 'nestjs-kinde-api-key';
import type { User } from './user.js';
import { UsersService } from './users.service.js';

/**
 * Finds the organization of a request by loading the user in its path. The guard compares it with the key's organization, and
 * the handler gets the loaded user by `@ScopedResource()`: one query, not two. An unknown user is a mismatch as well, so a
 * caller cannot find out which users other organizations have.
 */
@Injectable()
export class UserOrgResolver implements OrgResolver {
  constructor(private readonly users: UsersService) {}

  resolveOrgCode(context: ExecutionContext): { orgCode: string | null; resource: User } | undefined {
    const { params } = context.switchToHttp().getRequest<{ params: { userId: string } }>();
    const user = this.users.find(params.userId);
    return user && { orgCode: user.organizationCode, resource: user };
  }
}
