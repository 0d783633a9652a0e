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

  it('finds a user whatever the organization, and nobody under an unknown id', () => {
    expect(users.find('kp_grace')?.organizationCode).toBe('org_globex');
    expect(users.find('kp_nobody')).toBeUndefined();
  });

  it('adds a user to an organization', () => {
    const linus = users.create('org_globex', { name: 'Linus', email: 'linus@globex.example' });
    expect(users.list('org_globex').map(({ id }) => id)).toEqual(['kp_grace', linus.id]);
  });

  it('changes what is sent and nothing else', () => {
    users.update(users.find('kp_ada')!, { name: 'Ada King' });
    expect(users.find('kp_ada')).toEqual({
      id: 'kp_ada',
      name: 'Ada King',
      email: 'ada@acme.example',
      organizationCode: 'org_acme',
    });
  });

  it('gives a user that only Kinde knows a row, once', () => {
    const added = users.findOrAdd('kp_new', null);
    expect(added).toEqual({ id: 'kp_new', name: 'kp_new', email: null, organizationCode: null });
    users.update(added, { name: 'New' });
    expect(users.findOrAdd('kp_new', null).name).toBe('New');
  });
});
