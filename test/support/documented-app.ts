import {
  All,
  Controller,
  Get,
  Injectable,
  Post,
  UseGuards,
  Version,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import {
  AnyValidKey,
  ApiKeyGuard,
  KeysOnly,
  OrgScoped,
  PublicRoute,
  RateLimit,
  RequireAnyScope,
  RequireFreshVerification,
  RequireScopes,
  SkipRateLimit,
  UserScoped,
  type Principal,
  type PrincipalSource,
} from 'nestjs-kinde-api-key';

/** Routes with every kind of rule, for documents and for the answers that they promise. */

@Controller('orgs/:orgCode/reports')
@UseGuards(ApiKeyGuard)
@OrgScoped()
@RequireScopes('read:reports')
class ReportsController {
  @Get(['', 'all'])
  findAll() {
    return [];
  }

  @Post()
  @RequireScopes('write:reports')
  @RateLimit({ limit: 2, windowMs: 60_000 })
  create() {
    return {};
  }

  @Get('public')
  @PublicRoute()
  open() {
    return {};
  }
}

const inPath = (context: ExecutionContext): string => {
  const { id } = context.switchToHttp().getRequest<{ params: { id: string } }>().params;
  return `org_${id}`;
};

@Controller('rules')
@UseGuards(ApiKeyGuard)
class RulesController {
  @Get('any-key')
  @AnyValidKey()
  any() {
    return {};
  }

  @Get('undecided')
  undecided() {
    return {};
  }

  @Get('any-scope')
  @RequireAnyScope('read:a', 'read:b')
  @RequireScopes('read:reports')
  anyScope() {
    return {};
  }

  @Get('user')
  @UserScoped()
  @SkipRateLimit()
  user() {
    return {};
  }

  @Get('keys-only')
  @KeysOnly()
  keysOnly() {
    return {};
  }

  @Get('own-org')
  @OrgScoped({ from: 'key' })
  ownOrg() {
    return {};
  }

  @Get('resolved/:id')
  @OrgScoped({ resolve: inPath })
  resolved() {
    return {};
  }

  @Get('fresh')
  @RequireFreshVerification({ maxAgeMs: 0 })
  fresh() {
    return {};
  }

  @All('all')
  @RequireScopes('read:reports')
  all() {
    return {};
  }
}

@Controller('plain')
class PlainController {
  @Get()
  find() {
    return {};
  }
}

@Controller('versions')
@UseGuards(ApiKeyGuard)
class VersionsController {
  @Get()
  @Version('1')
  @RequireScopes('read:old')
  old() {
    return {};
  }

  @Get()
  @Version('2')
  @UserScoped()
  current() {
    return {};
  }
}

export const DOCUMENTED_CONTROLLERS: Type[] = [ReportsController, RulesController, PlainController, VersionsController];

/** Every scope that the routes require. */
export const DOCUMENTED_SCOPES = ['read:reports', 'write:reports', 'read:a', 'read:old'];

/** A caller of the app's own, named by a header. */
@Injectable()
export class HeaderUser implements PrincipalSource {
  authenticate(context: ExecutionContext): Principal | null {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
    const userId = headers['x-user'] ?? null;
    return userId === null ? null : { kind: 'user', scopes: DOCUMENTED_SCOPES, orgCode: 'org_a', userId };
  }
}
