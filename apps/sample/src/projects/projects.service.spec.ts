import { DatabaseService } from '../database/database.service.js';
import { insertDemoData } from '../demo/demo-data.js';
import { ProjectsService } from './projects.service.js';

describe('ProjectsService', () => {
  let database: DatabaseService;
  let projects: ProjectsService;

  beforeEach(() => {
    database = new DatabaseService();
    insertDemoData(database);
    projects = new ProjectsService(database);
  });

  afterEach(() => database.onApplicationShutdown());

  it('lists the projects of one organization, oldest first', () => {
    const created = projects.create('org_acme', { name: 'Aurora' });
    expect(projects.list('org_acme').map(({ name }) => name)).toEqual(['Apollo', 'Borealis', 'Aurora']);
    expect(projects.get('org_acme', created.id)).toEqual(created);
  });

  it('does not return a project of another organization by its id', () => {
    expect(() => projects.get('org_acme', 'prj_gemini')).toThrow('org_acme has no project prj_gemini');
  });

  it('stores a name with a quote unchanged', () => {
    const name = `Robert'); DROP TABLE projects; --`;
    expect(projects.get('org_acme', projects.create('org_acme', { name }).id).name).toBe(name);
  });
});
