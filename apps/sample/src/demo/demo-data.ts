import type { DatabaseService } from '../database/database.service.js';

/** Inserts the organizations, users and projects of the demo calls. */
export function insertDemoData(database: DatabaseService): void {
  for (const [code, name] of [
    ['org_acme', 'Acme'],
    ['org_globex', 'Globex'],
  ] as const) {
    database.run('INSERT INTO organizations (code, name) VALUES (?, ?)', code, name);
  }
  for (const [id, name, email, organizationCode] of [
    ['kp_ada', 'Ada Lovelace', 'ada@acme.example', 'org_acme'],
    ['kp_grace', 'Grace Hopper', 'grace@globex.example', 'org_globex'],
  ] as const) {
    database.run(
      'INSERT INTO users (id, name, email, organization_code) VALUES (?, ?, ?, ?)',
      id,
      name,
      email,
      organizationCode,
    );
  }
  for (const [id, name, organizationCode] of [
    ['prj_apollo', 'Apollo', 'org_acme'],
    ['prj_borealis', 'Borealis', 'org_acme'],
    ['prj_gemini', 'Gemini', 'org_globex'],
  ] as const) {
    database.run('INSERT INTO projects (id, name, organization_code) VALUES (?, ?, ?)', id, name, organizationCode);
  }
}
