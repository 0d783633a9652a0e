import { Injectable, NotFoundException } from '@nestjs/common';
import { DatabaseService } from '../database/database.service.js';
import type { Organization } from './organization.js';

@Injectable()
export class OrganizationsService {
  constructor(private readonly database: DatabaseService) {}

  /**
   * Returns the organization with this code.
   *
   * @throws {NotFoundException} if the code is unknown
   */
  get(code: string): Organization {
    const organization = this.database.get<Organization>(
      `SELECT code, name,
              (SELECT count(*) FROM users    WHERE organization_code = organizations.code) AS users,
              (SELECT count(*) FROM projects WHERE organization_code = organizations.code) AS projects
         FROM organizations WHERE code = ?`,
      code,
    );
    if (!organization) throw new NotFoundException(`There is no organization ${code}`);
    return organization;
  }

  /** Inserts an organization unless it exists. Its name is its code. */
  addIfMissing(code: string): void {
    this.database.run('INSERT INTO organizations (code, name) VALUES (?, ?) ON CONFLICT DO NOTHING', code, code);
  }
}
