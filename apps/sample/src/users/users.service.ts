import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DatabaseService } from '../database/database.service.js';
import type { NewUser, User, UserChanges } from './user.js';

const SELECT = 'SELECT id, name, email, organization_code AS organizationCode FROM users';

@Injectable()
export class UsersService {
  constructor(private readonly database: DatabaseService) {}

  /** @returns the users of an organization, oldest first */
  list(organizationCode: string): User[] {
    return this.database.all(`${SELECT} WHERE organization_code = ? ORDER BY rowid`, organizationCode);
  }

  /** @returns the user with this id, of whatever organization, if there is one */
  find(id: string): User | undefined {
    return this.database.get(`${SELECT} WHERE id = ?`, id);
  }

  /** @returns the new user, with its id */
  create(organizationCode: string, { name, email }: NewUser): User {
    return this.insert({ id: `usr_${randomUUID()}`, name, email, organizationCode });
  }

  /** @returns the user as it is after the changes */
  update(user: User, changes: UserChanges): User {
    const updated = { ...user, name: changes.name ?? user.name, email: changes.email ?? user.email };
    this.database.run('UPDATE users SET name = ?, email = ? WHERE id = ?', updated.name, updated.email, user.id);
    return updated;
  }

  /** @returns the user; one whom Kinde knows and we did not gets a row. Their name is their id until they choose a better one. */
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
