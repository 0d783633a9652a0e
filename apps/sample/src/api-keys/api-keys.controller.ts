import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, UseFilters } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import {
  CurrentApiKey,
  type NewApiKey,
  OrgScoped,
  RequireFreshVerification,
  type VerifiedApiKey,
} from 'nestjs-kinde-api-key';
import { z } from 'zod';
import { RequireScopes } from '../scopes.js';
import { type ApiKey, apiKeySchema, createdApiKeySchema, type NewApiKeyBody, newApiKeySchema } from './api-key.js';
import { ManagementErrorFilter } from './management-error.filter.js';
import { OrganizationKeysService } from './organization-keys.service.js';

/**
 * The keys of the organization in the path. A key that was revoked in Kinde a moment ago must not create its own successor, so changes do
 * not trust an answer that is older than five seconds.
 */
@ApiTags('API keys')
@ApiParam({ name: 'orgCode', example: 'org_acme' })
@Controller('organizations/:orgCode/api-keys')
@OrgScoped()
@RequireScopes('manage:keys')
@UseFilters(ManagementErrorFilter)
export class ApiKeysController {
  constructor(private readonly keys: OrganizationKeysService) {}

  @Get()
  @ApiOperation({ summary: 'List the API keys of an organization' })
  @ApiOkResponse({ standardSchema: z.array(apiKeySchema) })
  list(@Param('orgCode') orgCode: string): Promise<ApiKey[]> {
    return this.keys.list(orgCode);
  }

  @Post()
  @RequireFreshVerification({ maxAgeMs: 5_000 })
  @Header('Cache-Control', 'no-store') // the answer has the raw key
  @ApiOperation({ summary: 'Create an API key, and show its secret once' })
  @ApiCreatedResponse({ standardSchema: createdApiKeySchema })
  create(
    @CurrentApiKey() caller: VerifiedApiKey,
    @Param('orgCode') orgCode: string,
    @Body({ schema: newApiKeySchema }) key: NewApiKeyBody,
  ): Promise<NewApiKey> {
    return this.keys.create(caller, orgCode, key);
  }

  @Post(':keyId/rotation')
  @RequireFreshVerification({ maxAgeMs: 5_000 })
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Give an API key a new secret, and show it once' })
  @ApiCreatedResponse({ standardSchema: createdApiKeySchema })
  rotate(
    @CurrentApiKey() caller: VerifiedApiKey,
    @Param('orgCode') orgCode: string,
    @Param('keyId') keyId: string,
  ): Promise<NewApiKey> {
    return this.keys.rotate(caller, orgCode, keyId);
  }

  @Delete(':keyId')
  @RequireFreshVerification({ maxAgeMs: 5_000 })
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API key for good' })
  @ApiNoContentResponse()
  revoke(@Param('orgCode') orgCode: string, @Param('keyId') keyId: string): Promise<void> {
    return this.keys.revoke(orgCode, keyId);
  }
}
