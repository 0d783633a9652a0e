import { Global, Module } from '@nestjs/common';
import { DatabaseService } from './database.service.js';

/** Makes the one database available to every feature. */
@Global()
@Module({ providers: [DatabaseService], exports: [DatabaseService] })
export class DatabaseModule {}
