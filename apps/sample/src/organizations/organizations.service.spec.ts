import { DatabaseService } from '../database/database.service.js';
import { insertDemoData } from '../demo/demo-data.js';
import { OrganizationsService } from './organizations.service.js';

describe('OrganizationsService', () => {
  let database: DatabaseService;
  let organizations: OrganizationsService;

  beforeEach(() => {
    database = new DatabaseService();
    insertDemoData(database);
    organizations = new OrganizationsService(database);
  });

  afterEach(() => database.onApplicationShutdown());

  it('counts the users and projects of the organization alone', () => {
    expect(organizations.get('org_acme')).toEqual({ code: 'org_acme', name: 'Acme', users: 1, projects: 2 });
  });

  it('says which organization it does not find', () => {
    expect(() => organizations.get('org_nobody')).toThrow('There is no organization org_nobody');
  });

  it('adds an organization once, under its code', () => {
    organizations.addIfMissing('org_new');
    organizations.addIfMissing('org_new');
    expect(organizations.get('org_new')).toEqual({ code: 'org_new', name: 'org_new', users: 0, projects: 0 });
  });

  it('leaves an organization that it knows as it is', () => {
    organizations.addIfMissing('org_acme');
    expect(organizations.get('org_acme').name).toBe('Acme');
  });
});
