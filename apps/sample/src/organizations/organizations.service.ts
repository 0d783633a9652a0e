import { Injectable, NotFoundException } from '@nestjs/common';
import { DatabaseService } from '../database/database.service.js';
import type { Organization } from './organization.js';

@Injectable()
export class OrganizationsService {
  constructor(private readonly database: DatabaseService) {}

  /**
   * @returns the organization
   * @throws {NotFoundException} there is none with this code
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

  /** Adds an organization that Kinde knows and we did not. Its name is its code until somebody gives it a better one. */
  addIfMissing(code: string): void {
    this.database.run('INSERT INTO organizations (code, name) VALUES (?, ?) ON CONFLICT DO NOTHING', code, code);
  }
}
