import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  type WsResponse,
} from '@nestjs/websockets';
import { OrgScoped } from 'nestjs-kinde-api-key';
import type { Server, Socket } from 'socket.io';
import { RequireScopes } from '../scopes.js';
import type { Project } from './project.js';

/**
 * Tells clients of socket.io about new projects of their organization. They send the key when they connect. A key that is
 * revoked through this API loses its connections; for one that is revoked in Kinde, call `invalidate()`.
 */
@WebSocketGateway()
export class ProjectsGateway {
  @WebSocketServer()
  private readonly server!: Server;

  /** The room is the organization that the guard has compared with the key's. */
  @SubscribeMessage('watch')
  @OrgScoped({ arg: 'orgCode' })
  @RequireScopes('read:projects')
  async watch(@MessageBody('orgCode') orgCode: string, @ConnectedSocket() client: Socket): Promise<WsResponse> {
    await client.join(orgCode);
    return { event: 'watching', data: orgCode };
  }

  /** Tells everyone who watches the project's organization. */
  announce(project: Project): void {
    this.server.to(project.organizationCode).emit('project', project);
  }
}
