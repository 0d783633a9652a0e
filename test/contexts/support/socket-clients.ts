import type { INestApplication } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';

/** What a gateway sends. */
export interface Frame {
  readonly event: string;
  readonly data: unknown;
}

/** A client of a gateway with an open connection. */
export interface SocketClient {
  /** Sends a message, and returns the next frame. */
  ask(event: string, data?: unknown): Promise<Frame>;
  /** Resolves when the server has closed the connection, with its reason if the platform sends one. */
  readonly closed: Promise<string>;
  close(): void;
}

/** A WebSocket platform of Nest. */
export interface SocketPlatform {
  use(app: INestApplication): void;
  connect(url: string, headers: Readonly<Record<string, string>>, auth?: object): Promise<SocketClient>;
}

const EVENTS = ['exception', 'answer'];

const socketIo: SocketPlatform = {
  use: (app) => app.useWebSocketAdapter(new IoAdapter(app)),
  connect: async (url, extraHeaders, auth = {}) => {
    const socket = io(url, { extraHeaders: { ...extraHeaders }, auth, forceNew: true, reconnection: false });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return {
      ask: (event, data) =>
        new Promise((resolve) => {
          const told = (name: string) => (value: unknown) => {
            for (const one of EVENTS) socket.off(one);
            resolve({ event: name, data: value });
          };
          for (const one of EVENTS) socket.once(one, told(one));
          socket.emit(event, data);
        }),
      closed: new Promise((resolve) => {
        socket.once('disconnect', resolve);
      }),
      close: () => void socket.close(),
    };
  },
};

const ws: SocketPlatform = {
  use: (app) => app.useWebSocketAdapter(new WsAdapter(app)),
  connect: async (url, headers) => {
    const socket = new WebSocket(url.replace('http', 'ws'), { headers });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return {
      ask: (event, data) =>
        new Promise((resolve) => {
          socket.once('message', (message: Buffer) => resolve(JSON.parse(message.toString()) as Frame));
          socket.send(JSON.stringify({ event, data }));
        }),
      closed: new Promise((resolve) => {
        socket.once('close', (_code: number, reason: Buffer) => resolve(reason.toString()));
      }),
      close: () => socket.close(),
    };
  },
};

export const PLATFORMS: readonly (readonly [name: string, platform: SocketPlatform])[] = [
  ['socket.io', socketIo],
  ['ws', ws],
];
