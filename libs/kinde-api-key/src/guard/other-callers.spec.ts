import { setImmediate as nextTurn } from 'node:timers/promises';
import { Controller, Get, Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { CurrentPrincipal, OrgScoped, RequireScopes, type Principal, type PrincipalSource } from '../index.js';
import { KindeApiKeyTestingModule } from '../testing/index.js';
import { ApiKeyGuard } from './api-key.guard.js';

const FINE: Principal = { kind: 'user', scopes: ['read:users'], orgCode: 'org_a', userId: 'fine' };
const OTHERS: readonly Principal[] = [
  { ...FINE, userId: 'foreign', orgCode: 'org_b' },
  { ...FINE, userId: 'poor', scopes: [] },
];

/** The answers of the source, in the order of its calls. */
let answers: Principal[] = [];

@Injectable()
class ChangingSource implements PrincipalSource {
  async authenticate(): Promise<Principal | null> {
    const answer = answers.shift() ?? null;
    if (answers.length === 0) await nextTurn(); // the second run is overtaken by the first
    return answer;
  }
}

/** Lets a request through if one of two runs of the guard does: both at once, or one after the other. */
@Injectable()
class TwiceGuard implements CanActivate {
  constructor(private readonly keys: ApiKeyGuard) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const run = async (): Promise<boolean> => this.keys.canActivate(context);
    if (context.switchToHttp().getRequest<{ url: string }>().url.endsWith('later')) return run().catch(run);
    const results = await Promise.allSettled([run(), run()]);
    return results.some(({ status }) => status === 'fulfilled');
  }
}

@Controller('orgs/:orgCode/users/:when')
@UseGuards(TwiceGuard)
class UsersController {
  @Get()
  @RequireScopes('read:users')
  @OrgScoped({ resolve: async () => ({ orgCode: 'org_a' }) })
  list(@CurrentPrincipal() { userId }: Principal): object {
    return { userId };
  }
}

describe('two runs of the guard on a request whose source changes its mind', () => {
  let app: NestFastifyApplication;
  const get = async (when: string) =>
    (await app.inject({ url: `/orgs/org_a/users/${when}` })).json<{ userId?: string }>();

  beforeAll(async () => {
    const kinde = KindeApiKeyTestingModule.forRoot({ principals: [ChangingSource], guardedBy: [TwiceGuard] });
    const providers = [ChangingSource, TwiceGuard];
    const testing = await Test.createTestingModule({
      imports: [kinde],
      controllers: [UsersController],
      providers,
    }).compile();
    app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    await app.init();
  });
  afterAll(() => app.close());

  it.each(OTHERS)('hands the handler no caller but the one whom it checked, beside $userId', async (other) => {
    for (const order of [
      [FINE, other],
      [other, FINE],
    ]) {
      answers = [...order];
      expect(['fine', undefined]).toContain((await get('now')).userId);
    }
  });

  it.each(OTHERS)('asks the source again after it refused $userId', async (other) => {
    answers = [other, FINE];
    expect(await get('later')).toEqual({ userId: 'fine' });
    answers = [FINE, other];
    expect(await get('later')).toEqual({ userId: 'fine' });
  });
});
