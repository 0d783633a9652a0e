import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Logger, Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { GraphQLModule } from '@nestjs/graphql';
import { auditLog, KindeApiKeyModule } from 'nestjs-kinde-api-key';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { DatabaseModule } from './database/database.module.js';
import { HealthModule } from './health/health.module.js';
import { KeysModule } from './keys/keys.module.js';
import { OrganizationsModule } from './organizations/organizations.module.js';
import { ProjectsModule } from './projects/projects.module.js';
import { RedisModule } from './redis/redis.module.js';
import { RedisService } from './redis/redis.service.js';
import { UsersModule } from './users/users.module.js';

const audit = new Logger('Audit');

/**
 * One import protects the API. The Kinde domain and the M2M credentials come from the environment. `globalGuard` protects
 * every route, and stops the boot if a handler has no access rule.
 */
@Module({
  imports: [
    KindeApiKeyModule.forRootAsync({
      globalGuard: true,
      imports: [RedisModule],
      inject: [RedisService],
      useFactory: ({ store }: RedisService) => ({
        onDecision: auditLog({ log: (entry) => audit.log(JSON.stringify(entry)) }),
        ...(store && { shared: store }),
      }),
    }),
    GraphQLModule.forRoot<ApolloDriverConfig>({
      driver: ApolloDriver,
      autoSchemaFile: true,
      graphiql: false,
      stopOnApplicationShutdown: true, // after the gateway: Apollo on Fastify waits for every open connection
      includeStacktraceInErrorResponses: false,
    }),
    ApiKeysModule,
    DatabaseModule,
    HealthModule,
    KeysModule,
    OrganizationsModule,
    ProjectsModule,
    UsersModule,
  ],
  providers: [{ provide: APP_PIPE, useFactory: () => new StandardSchemaValidationPipe() }],
})
export class AppModule {}
