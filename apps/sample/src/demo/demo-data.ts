import type { DatabaseService } from '../database/database.service.js';

/** Inserts the organizations, users and projects of the demo calls. */
export function insertDemoData(database: DatabaseService): void {
  database.run(`INSERT INTO organizations (code, name) VALUES ('org_acme', 'Acme'), ('org_globex', 'Globex')`);
  database.run(`INSERT INTO users (id, name, email, organization_code) VALUES
    ('kp_ada', 'Ada Lovelace', 'ada@acme.example', 'org_acme'),
    ('kp_grace', 'Grace Hopper', 'grace@globex.example', 'org_globex')`);
  database.run(`INSERT INTO projects (id, name, organization_code) VALUES
    ('prj_apollo', 'Apollo', 'org_acme'),
    ('prj_borealis', 'Borealis', 'org_acme'),
    ('prj_gemini', 'Gemini', 'org_globex')`);
}
