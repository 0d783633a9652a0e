import { Global, Module } from '@nestjs/common';
import { DatabaseService } from './database.service.js';

/** Provides one database to every feature. */
@Global()
@Module({ providers: [DatabaseService], exports: [DatabaseService] })
export class DatabaseModule {}
