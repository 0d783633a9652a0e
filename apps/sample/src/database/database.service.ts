import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import sqlite from 'node-sqlite3-wasm';
import { SCHEMA } from './schema.js';

/** What a `?` of a statement can stand for. */
export type SqlValue = string | number | null;

/**
 * SQLite, compiled to WebAssembly: a real database in one 1.3 MB package, with no server, no compiler and no binary per platform.
 * It lives in memory, so every start finds the same data.
 */
@Injectable()
export class DatabaseService implements OnApplicationShutdown {
  private readonly database = new sqlite.Database(':memory:');

  constructor() {
    this.database.exec(SCHEMA);
  }

  /** @returns every row that the query finds */
  all<Row>(sql: string, ...values: SqlValue[]): Row[] {
    return this.database.all(sql, values) as Row[];
  }

  /** @returns the first row that the query finds, if any */
  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined {
    return (this.database.get(sql, values) as Row | null) ?? undefined;
  }

  /** Carries out a statement that changes something. */
  run(sql: string, ...values: SqlValue[]): void {
    this.database.run(sql, values);
  }

  /** Closes the database once the last request has been answered. */
  onApplicationShutdown(): void {
    this.database.close();
  }
}
