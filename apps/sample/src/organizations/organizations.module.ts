import { Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { FirstSightInterceptor } from './first-sight.interceptor.js';
import { OrganizationsController } from './organizations.controller.js';
import { OrganizationsService } from './organizations.service.js';

@Module({
  controllers: [OrganizationsController],
  providers: [OrganizationsService, { provide: APP_INTERCEPTOR, useClass: FirstSightInterceptor }],
})
export class OrganizationsModule {}
