import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { OrgScoped } from 'nestjs-kinde-api-key';
import { z } from 'zod';
import { RequireScopes } from '../scopes.js';
import { type NewProject, newProjectSchema, type Project, projectSchema } from './project.js';
import { ProjectsGateway } from './projects.gateway.js';
import { ProjectsService } from './projects.service.js';

/**
 * The path contains the organization. `@OrgScoped()` on the class limits a key to the projects of its own organization.
 * Each handler adds its scope.
 */
@ApiTags('projects')
@ApiParam({ name: 'orgCode', example: 'org_acme' })
@Controller('organizations/:orgCode/projects')
@OrgScoped()
export class ProjectsController {
  constructor(
    private readonly projects: ProjectsService,
    private readonly gateway: ProjectsGateway,
  ) {}

  @Get()
  @RequireScopes('read:projects')
  @ApiOperation({ summary: 'List the projects of an organization' })
  @ApiOkResponse({ standardSchema: z.array(projectSchema) })
  list(@Param('orgCode') orgCode: string): Project[] {
    return this.projects.list(orgCode);
  }

  @Get(':projectId')
  @ApiParam({ name: 'projectId', example: 'prj_apollo' })
  @RequireScopes('read:projects')
  @ApiOperation({ summary: 'Show a project' })
  @ApiOkResponse({ standardSchema: projectSchema })
  show(@Param('orgCode') orgCode: string, @Param('projectId') projectId: string): Project {
    return this.projects.get(orgCode, projectId);
  }

  @Post()
  @RequireScopes('write:projects')
  @ApiOperation({ summary: 'Start a project' })
  @ApiCreatedResponse({ standardSchema: projectSchema })
  create(@Param('orgCode') orgCode: string, @Body({ schema: newProjectSchema }) body: NewProject): Project {
    const project = this.projects.create(orgCode, body);
    this.gateway.announce(project);
    return project;
  }
}
