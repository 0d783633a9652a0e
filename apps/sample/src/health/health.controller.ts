import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { PublicRoute } from 'nestjs-kinde-api-key';
import { DatabaseService } from '../database/database.service.js';

/** Public, because load balancers have no key. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly database: DatabaseService) {}

  @Get()
  @PublicRoute()
  @ApiOperation({ summary: 'Is the API up?' })
  check(): { status: 'ok' } {
    this.database.get('SELECT 1');
    return { status: 'ok' };
  }
}
