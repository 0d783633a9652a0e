import { Module } from '@nestjs/common';
import { ApiKeysController } from './api-keys.controller.js';
import { OrganizationKeysService } from './organization-keys.service.js';
import { ScreenController } from './screen.controller.js';

@Module({ controllers: [ApiKeysController, ScreenController], providers: [OrganizationKeysService] })
export class ApiKeysModule {}
