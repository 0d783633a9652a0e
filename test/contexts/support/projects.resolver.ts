import { UseGuards, type ExecutionContext } from '@nestjs/common';
import { Args, Field, Int, Mutation, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import {
  AnyValidKey,
  ApiKeyGuard,
  CurrentApiKey,
  OrgCode,
  OrgScoped,
  PublicRoute,
  RateLimit,
  RequireScopes,
  ScopedResource,
  type VerifiedApiKey,
} from 'nestjs-kinde-api-key';

@ObjectType()
export class Project {
  @Field(() => String)
  id!: string;
}

/** The same as the decorators say, for an app whose schema comes first. */
export const SCHEMA = `
  type Project { id: String! owner: String! secret: String }
  type Query {
    open: String!
    keyId: String!
    projects(count: Int!): [Project!]!
    ofOrganization(orgCode: String!): String
    loaded(orgCode: String!): String
    limited: String
    scoped: String
  }
  type Mutation { rename(name: String!): String }
`;

/** Loads after a turn, as a database would. */
async function load(context: ExecutionContext): Promise<{ orgCode: string; resource: string }> {
  const [, { orgCode }] = context.getArgs<[unknown, { orgCode: string }]>();
  await new Promise(setImmediate);
  return { orgCode: orgCode.replace(/ .*/, ''), resource: `loaded for ${orgCode}` };
}

@Resolver(() => Project)
@UseGuards(ApiKeyGuard)
export class ProjectsResolver {
  @Query(() => String)
  @PublicRoute()
  open(): string {
    return 'open';
  }

  @Query(() => String)
  @AnyValidKey()
  keyId(@CurrentApiKey() apiKey: VerifiedApiKey): string {
    return apiKey.keyId;
  }

  @Query(() => [Project])
  @AnyValidKey()
  projects(@Args('count', { type: () => Int }) count: number): Project[] {
    return Array.from({ length: count }, (_, index) => ({ id: String(index) }));
  }

  @ResolveField(() => String)
  @AnyValidKey()
  owner(@Parent() { id }: Project, @OrgCode() orgCode: string): string {
    return `${id} of ${orgCode}`;
  }

  @ResolveField(() => String, { nullable: true })
  @RequireScopes('read:secrets')
  secret(@Parent() { id }: Project): string {
    return `secret ${id}`;
  }

  @Query(() => String, { nullable: true })
  @OrgScoped({ arg: 'orgCode' })
  ofOrganization(@Args('orgCode') orgCode: string): string {
    return orgCode;
  }

  @Query(() => String, { nullable: true })
  @OrgScoped({ resolve: load })
  loaded(@Args('orgCode') _orgCode: string, @ScopedResource() resource: string): string {
    return resource;
  }

  @Query(() => String, { nullable: true })
  @AnyValidKey()
  @RateLimit({ limit: 2, windowMs: 60_000 })
  limited(): string {
    return 'within the limit';
  }

  @Query(() => String, { nullable: true })
  @RequireScopes('read:projects')
  scoped(): string {
    return 'scoped';
  }

  @Mutation(() => String, { nullable: true })
  @RequireScopes('write:projects')
  rename(@Args('name') name: string): string {
    return name;
  }
}
