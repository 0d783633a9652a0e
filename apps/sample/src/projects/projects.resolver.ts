import { Args, Field, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { OrgScoped } from 'nestjs-kinde-api-key';
import { RequireScopes } from '../scopes.js';
import type { Project } from './project.js';
import { ProjectsService } from './projects.service.js';

/** A project in GraphQL. */
@ObjectType('Project')
class ProjectType {
  @Field(() => String)
  readonly id!: string;

  @Field(() => String)
  readonly name!: string;
}

/** The same rules as for the routes. The organization is an argument, so the guard compares that with the key's. */
@Resolver(() => ProjectType)
export class ProjectsResolver {
  constructor(private readonly service: ProjectsService) {}

  @Query(() => [ProjectType])
  @OrgScoped({ arg: 'orgCode' })
  @RequireScopes('read:projects')
  projects(@Args('orgCode') orgCode: string): Project[] {
    return this.service.list(orgCode);
  }
}
