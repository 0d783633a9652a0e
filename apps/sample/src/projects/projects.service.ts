import { Injectable, NotFoundException } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DatabaseService } from '../database/database.service.js';
import type { NewProject, Project } from './project.js';

const SELECT = 'SELECT id, name, organization_code AS organizationCode FROM projects';

/** Every query names the organization, so that no caller reaches a project of another one by its id. */
@Injectable()
export class ProjectsService {
  constructor(private readonly database: DatabaseService) {}

  /** @returns the projects of an organization, oldest first */
  list(organizationCode: string): Project[] {
    return this.database.all(`${SELECT} WHERE organization_code = ? ORDER BY rowid`, organizationCode);
  }

  /**
   * @returns the project
   * @throws {NotFoundException} the organization has none with this id
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

  /** @returns the new project, with its id */
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
