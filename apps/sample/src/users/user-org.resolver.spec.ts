import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { DatabaseService } from '../database/database.service.js';
import { insertDemoData } from '../demo/demo-data.js';
import { UserOrgResolver } from './user-org.resolver.js';
import { UsersService } from './users.service.js';

describe('UserOrgResolver', () => {
  const database = new DatabaseService();
  insertDemoData(database);
  const resolver = new UserOrgResolver(new UsersService(database));

  afterAll(() => database.onApplicationShutdown());

  function resolve(userId: string): ReturnType<UserOrgResolver['resolveOrgCode']> {
    return resolver.resolveOrgCode(new ExecutionContextHost([{ params: { userId } }]));
  }

  it("returns the user in the path and the user's organization", () => {
    expect(resolve('kp_ada')).toMatchObject({ orgCode: 'org_acme', resource: { name: 'Ada Lovelace' } });
  });

  it('returns no organization for an unknown user, which is a mismatch', () => {
    expect(resolve('kp_unknown')).toBeUndefined();
  });
});
