import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { OrgCode, RateLimit, UserId, UserScoped } from 'nestjs-kinde-api-key';
import { type User, userSchema } from './user.js';
import { UsersService } from './users.service.js';

/** For keys of users: the user id comes from the key, so no value of the request is compared. */
@ApiTags('users')
@Controller('me')
export class MeController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @UserScoped()
  @RateLimit({ limit: 10, windowMs: 60_000 }) // ten requests in any minute, for each key
  @ApiOperation({ summary: 'Show the user whose key this is' })
  @ApiOkResponse({ standardSchema: userSchema })
  show(@UserId() userId: string, @OrgCode() orgCode: string | null): User {
    return this.users.findOrAdd(userId, orgCode);
  }
}
