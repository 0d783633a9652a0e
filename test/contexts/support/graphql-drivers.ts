import type { DynamicModule } from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLModule, type GqlModuleOptions } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import type { Adapter } from '../../support/scenario.js';
import { SCHEMA } from './projects.resolver.js';

/** A GraphQL server that Nest supports, with the adapter that it runs on. */
export interface GraphqlDriver {
  readonly adapter: Adapter;
  /** Returns the module for a test. Guards run before fields of objects, too. */
  module(options?: Partial<GqlModuleOptions>): DynamicModule;
}

const apollo = (adapter: Adapter, schema: GqlModuleOptions): GraphqlDriver => ({
  adapter,
  module: (options) =>
    GraphQLModule.forRoot<ApolloDriverConfig>({
      driver: ApolloDriver,
      fieldResolverEnhancers: ['guards'],
      graphiql: false,
      ...schema,
      ...options,
    } as ApolloDriverConfig),
});

const mercurius = (schema: GqlModuleOptions, jit = 0): GraphqlDriver => ({
  adapter: 'fastify',
  module: (options) =>
    GraphQLModule.forRoot<MercuriusDriverConfig>({
      driver: MercuriusDriver,
      fieldResolverEnhancers: ['guards'],
      jit,
      ...schema,
      ...options,
    } as MercuriusDriverConfig),
});

const CODE_FIRST = { autoSchemaFile: true };
const SCHEMA_FIRST = { typeDefs: SCHEMA };

export const DRIVERS: readonly (readonly [name: string, driver: GraphqlDriver])[] = [
  ['Apollo on Express, code first', apollo('express', CODE_FIRST)],
  ['Apollo on Express, schema first', apollo('express', SCHEMA_FIRST)],
  ['Apollo on Fastify, code first', apollo('fastify', CODE_FIRST)],
  ['Apollo on Fastify, schema first', apollo('fastify', SCHEMA_FIRST)],
  ['Mercurius, code first', mercurius(CODE_FIRST)],
  ['Mercurius, schema first and compiled', mercurius(SCHEMA_FIRST, 1)],
];
