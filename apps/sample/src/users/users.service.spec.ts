import { DatabaseService } from '../database/database.service.js';
import { insertDemoData } from '../demo/demo-data.js';
import { UsersService } from './users.service.js';

describe('UsersService', () => {
  let database: DatabaseService;
  let users: UsersService;

  beforeEach(() => {
    database = new DatabaseService();
    insertDemoData(database);
    users = new UsersService(database);
  });

  afterEach(() => database.onApplicationShutdown());

  it('finds a user of any organization, and returns undefined for an unknown id', () => {
    expect(users.find('kp_grace')?.organizationCode).toBe('org_globex');
    expect(users.find('kp_unknown')).toBeUndefined();
  });

  it('inserts a user of an organization', () => {
    const linus = users.create('org_globex', { name: 'Linus', email: 'linus@globex.example' });
    expect(users.list('org_globex').map(({ id }) => id)).toEqual(['kp_grace', linus.id]);
  });

  it('changes only the given fields', () => {
    users.update(users.find('kp_ada')!, { name: 'Ada King' });
    expect(users.find('kp_ada')).toEqual({
      id: 'kp_ada',
      name: 'Ada King',
      email: 'ada@acme.example',
      organizationCode: 'org_acme',
    });
  });

  it('inserts a user that exists only in Kinde, once', () => {
    const added = users.findOrAdd('kp_new', null);
    expect(added).toEqual({ id: 'kp_new', name: 'kp_new', email: null, organizationCode: null });
    users.update(added, { name: 'New' });
    expect(users.findOrAdd('kp_new', null).name).toBe('New');
  });
});
