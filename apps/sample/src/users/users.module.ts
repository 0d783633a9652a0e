import { Module } from '@nestjs/common';
import { MeController } from './me.controller.js';
import { MembersController } from './members.controller.js';
import { UserOrgResolver } from './user-org.resolver.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

@Module({
  controllers: [MeController, MembersController, UsersController],
  providers: [UsersService, UserOrgResolver],
})
export class UsersModule {}
