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

  it('counts only the users and projects of the organization', () => {
    expect(organizations.get('org_acme')).toEqual({ code: 'org_acme', name: 'Acme', users: 1, projects: 2 });
  });

  it('throws an error with the code of an unknown organization', () => {
    expect(() => organizations.get('org_unknown')).toThrow('There is no organization org_unknown');
  });

  it('inserts an organization once, with its code as its name', () => {
    organizations.addIfMissing('org_new');
    organizations.addIfMissing('org_new');
    expect(organizations.get('org_new')).toEqual({ code: 'org_new', name: 'org_new', users: 0, projects: 0 });
  });

  it('does not change an existing organization', () => {
    organizations.addIfMissing('org_acme');
    expect(organizations.get('org_acme').name).toBe('Acme');
  });
});
