import { EventEmitter } from 'node:events';
import { ApplicationConfig } from '@nestjs/core';
import { handshakeOf, sendToo, watchHandshakes } from './handshakes.js';

type Connected = (client: object, request?: object) => void;

class WsClient extends EventEmitter {
  readonly sent: unknown[] = [];
  send(frame: string): void {
    this.sent.push(JSON.parse(frame));
  }
}

class Adapter {
  readonly callbacks: Connected[] = [];
  bindClientConnect(_server: unknown, callback: Connected): void {
    this.callbacks.push(callback);
  }
}

function connectedTo(adapter: Adapter, client: object, request?: object): void {
  adapter.bindClientConnect('a server', () => undefined);
  for (const callback of adapter.callbacks) callback(client, request);
}

const request = { headers: { authorization: 'Bearer k' } };

describe('the handshake of a client', () => {
  it.each([
    [
      'that is set later',
      (config: ApplicationConfig, adapter: Adapter) => config.setIoAdapter(adapter as never),
      false,
    ],
    [
      'that was set before',
      (config: ApplicationConfig, adapter: Adapter) => config.setIoAdapter(adapter as never),
      true,
    ],
  ])('is kept by an adapter %s', (_when, set, isBefore) => {
    const config = new ApplicationConfig();
    const [adapter, client] = [new Adapter(), new WsClient()];
    if (isBefore) set(config, adapter);
    watchHandshakes(config);
    watchHandshakes(config);
    set(config, adapter);
    expect(config.getIoAdapter()).toBe(adapter);
    connectedTo(adapter, client, request);
    expect(handshakeOf(client)).toBe(request);
    expect(client.listenerCount('exception')).toBe(1);
  });

  it('is not known without a request', () => {
    const config = new ApplicationConfig();
    const adapter = new Adapter();
    watchHandshakes(config);
    config.setIoAdapter(adapter as never);
    const clients = [{}, {}, {}];
    for (const [index, given] of [undefined, {}, { headers: null }].entries())
      connectedTo(adapter, clients[index] ?? {}, given);
    expect(clients.map(handshakeOf)).toEqual([undefined, undefined, undefined]);
  });

  it('lets a client hear a refusal that Nest 10 and 11 emit on its object alone, and nothing else', () => {
    const config = new ApplicationConfig();
    const [adapter, client] = [new Adapter(), new WsClient()];
    watchHandshakes(config);
    config.setIoAdapter(adapter as never);
    connectedTo(adapter, client, request);
    const refusal = { code: 'MISSING_KEY' };
    sendToo(refusal);
    client.emit('exception', refusal);
    client.emit('exception', { code: 'MISSING_KEY' });
    expect(client.sent).toEqual([{ event: 'exception', data: refusal }]);
  });
});
