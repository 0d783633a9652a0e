import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DatabaseService } from '../database/database.service.js';
import type { NewUser, User, UserChanges } from './user.js';

const SELECT = 'SELECT id, name, email, organization_code AS organizationCode FROM users';

@Injectable()
export class UsersService {
  constructor(private readonly database: DatabaseService) {}

  /** Returns the users of an organization, oldest first. */
  list(organizationCode: string): User[] {
    return this.database.all(`${SELECT} WHERE organization_code = ? ORDER BY rowid`, organizationCode);
  }

  /** Returns the user with this id, of any organization, or `undefined`. */
  find(id: string): User | undefined {
    return this.database.get(`${SELECT} WHERE id = ?`, id);
  }

  /** Inserts a user and returns it with its id. */
  create(organizationCode: string, { name, email }: NewUser): User {
    return this.insert({ id: `usr_${randomUUID()}`, name, email, organizationCode });
  }

  /** Changes a user and returns it. */
  update(user: User, changes: UserChanges): User {
    const updated = { ...user, name: changes.name ?? user.name, email: changes.email ?? user.email };
    this.database.run('UPDATE users SET name = ?, email = ? WHERE id = ?', updated.name, updated.email, user.id);
    return updated;
  }

  /** Returns the user with this id. Inserts a user that exists only in Kinde, with the id as name. */
  findOrAdd(id: string, organizationCode: string | null): User {
    return this.find(id) ?? this.insert({ id, name: id, email: null, organizationCode });
  }

  private insert(user: User): User {
    this.database.run(
      'INSERT INTO users (id, name, email, organization_code) VALUES (?, ?, ?, ?)',
      user.id,
      user.name,
      user.email,
      user.organizationCode,
    );
    return user;
  }
}
