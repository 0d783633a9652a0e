import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { OrgScoped } from 'nestjs-kinde-api-key';
import { RequireAnyScope } from '../scopes.js';
import { type Organization, organizationSchema } from './organization.js';
import { OrganizationsService } from './organizations.service.js';

@ApiTags('organizations')
@ApiParam({ name: 'orgCode', example: 'org_acme' })
@Controller('organizations/:orgCode')
@OrgScoped()
export class OrganizationsController {
  constructor(private readonly organizations: OrganizationsService) {}

  /** Any read scope permits the name and size of the organization. */
  @Get()
  @RequireAnyScope('read:projects', 'read:users')
  @ApiOperation({ summary: 'Show an organization' })
  @ApiOkResponse({ standardSchema: organizationSchema })
  show(@Param('orgCode') orgCode: string): Organization {
    return this.organizations.get(orgCode);
  }
}
