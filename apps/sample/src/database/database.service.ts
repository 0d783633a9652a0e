import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import sqlite from 'node-sqlite3-wasm';
import { SCHEMA } from './schema.js';

/** A value for a `?` in a statement. */
export type SqlValue = string | number | null;

/**
 * SQLite compiled to WebAssembly: a real database without a server or a native binary. It is in memory, so every start has
 * the same data.
 */
@Injectable()
export class DatabaseService implements OnApplicationShutdown {
  private readonly database = new sqlite.Database(':memory:');

  constructor() {
    this.database.exec(SCHEMA);
  }

  /** Returns all rows of a query. */
  all<Row>(sql: string, ...values: SqlValue[]): Row[] {
    return this.database.all(sql, values) as Row[];
  }

  /** Returns the first row of a query, if any. */
  get<Row>(sql: string, ...values: SqlValue[]): Row | undefined {
    return (this.database.get(sql, values) as Row | null) ?? undefined;
  }

  /** Runs a statement that changes data. */
  run(sql: string, ...values: SqlValue[]): void {
    this.database.run(sql, values);
  }

  /** Closes the database after the last request. */
  onApplicationShutdown(): void {
    this.database.close();
  }
}
