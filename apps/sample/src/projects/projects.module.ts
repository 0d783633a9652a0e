import { Module } from '@nestjs/common';
import { ProjectsController } from './projects.controller.js';
import { ProjectsGateway } from './projects.gateway.js';
import { ProjectsResolver } from './projects.resolver.js';
import { ProjectsService } from './projects.service.js';

@Module({ controllers: [ProjectsController], providers: [ProjectsGateway, ProjectsResolver, ProjectsService] })
export class ProjectsModule {}
