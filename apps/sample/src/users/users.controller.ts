import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { OrgScoped, ScopedResource } from 'nestjs-kinde-api-key';
import { RequireScopes } from '../scopes.js';
import { UserOrgResolver } from './user-org.resolver.js';
import { type User, type UserChanges, userChangesSchema, userSchema } from './user.js';
import { UsersService } from './users.service.js';

/** The path has a user id and no organization, so a resolver loads the user to find the organization. */
@ApiTags('users')
@ApiParam({ name: 'userId', example: 'kp_ada' })
@Controller('users/:userId')
@OrgScoped({ resolve: UserOrgResolver })
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @RequireScopes('read:users')
  @ApiOperation({ summary: 'Show a user' })
  @ApiOkResponse({ standardSchema: userSchema })
  show(@ScopedResource() user: User): User {
    return user;
  }

  @Patch()
  @RequireScopes('write:users')
  @ApiOperation({ summary: 'Change a user' })
  @ApiOkResponse({ standardSchema: userSchema })
  update(@ScopedResource() user: User, @Body({ schema: userChangesSchema }) changes: UserChanges): User {
    return this.users.update(user, changes);
  }
}
