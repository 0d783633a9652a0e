import { Injectable, NotFoundException } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DatabaseService } from '../database/database.service.js';
import type { NewProject, Project } from './project.js';

const SELECT = 'SELECT id, name, organization_code AS organizationCode FROM projects';

/** Every query contains the organization, so an id of another organization's project is not found. */
@Injectable()
export class ProjectsService {
  constructor(private readonly database: DatabaseService) {}

  /** Returns the projects of an organization, oldest first. */
  list(organizationCode: string): Project[] {
    return this.database.all(`${SELECT} WHERE organization_code = ? ORDER BY rowid`, organizationCode);
  }

  /**
   * Returns a project of an organization.
   *
   * @throws {NotFoundException} if the organization has no project with this id
   */
  get(organizationCode: string, id: string): Project {
    const project = this.database.get<Project>(
      `${SELECT} WHERE organization_code = ? AND id = ?`,
      organizationCode,
      id,
    );
    if (!project) throw new NotFoundException(`${organizationCode} has no project ${id}`);
    return project;
  }

  /** Inserts a project and returns it with its id. */
  create(organizationCode: string, { name }: NewProject): Project {
    const project = { id: `prj_${randomUUID()}`, name, organizationCode };
    this.database.run(
      'INSERT INTO projects (id, name, organization_code) VALUES (?, ?, ?)',
      project.id,
      project.name,
      project.organizationCode,
    );
    return project;
  }
}
