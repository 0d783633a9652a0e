import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { HealthCheck, HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { ApiKeyHealthIndicator, PublicRoute } from 'nestjs-kinde-api-key';
import { DatabaseService } from '../database/database.service.js';

/**
 * Public, because load balancers have no key. While Kinde does not answer but keys in use still work, the answer stays 200,
 * with `degraded: true`: an outage of Kinde must not take every instance out of service.
 */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly apiKeys: ApiKeyHealthIndicator,
    private readonly database: DatabaseService,
  ) {}

  @Get()
  @PublicRoute()
  @HealthCheck()
  @ApiOperation({ summary: 'Is the API up, and can it verify keys?' })
  check(): Promise<HealthCheckResult> {
    this.database.get('SELECT 1');
    return this.health.check([() => this.apiKeys.isHealthy('api-keys')]);
  }
}
