import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { OrgScoped } from 'nestjs-kinde-api-key';
import { z } from 'zod';
import { RequireScopes } from '../scopes.js';
import { type NewUser, newUserSchema, type User, userSchema } from './user.js';
import { UsersService } from './users.service.js';

/** The users of the organization in the path. */
@ApiTags('users')
@ApiParam({ name: 'orgCode', example: 'org_acme' })
@Controller('organizations/:orgCode/users')
@OrgScoped()
export class MembersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @RequireScopes('read:users')
  @ApiOperation({ summary: 'List the users of an organization' })
  @ApiOkResponse({ standardSchema: z.array(userSchema) })
  list(@Param('orgCode') orgCode: string): User[] {
    return this.users.list(orgCode);
  }

  @Post()
  @RequireScopes('write:users')
  @ApiOperation({ summary: 'Add a user to an organization' })
  @ApiCreatedResponse({ standardSchema: userSchema })
  create(@Param('orgCode') orgCode: string, @Body({ schema: newUserSchema }) user: NewUser): User {
    return this.users.create(orgCode, user);
  }
}
