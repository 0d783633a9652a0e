import { Module } from '@nestjs/common';
import { ApiKeysController } from './api-keys.controller.js';
import { OrganizationKeysService } from './organization-keys.service.js';

@Module({ controllers: [ApiKeysController], providers: [OrganizationKeysService] })
export class ApiKeysModule {}
